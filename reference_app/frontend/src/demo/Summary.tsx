import type { ReactNode } from "react";

import type { Listed } from "./inbox";
import { omittedWords } from "./wording";

/** What a notification says, or that it was too large; the children stand beside its title. */
export function Summary({ item, children }: { item: Listed; children?: ReactNode }) {
  if (item.omitted) {
    return (
      <p>
        {omittedWords(item.omitted)}
        {children}
      </p>
    );
  }
  return (
    <>
      <strong>{item.title}</strong>
      {children}
      {item.body && <p>{String(item.body)}</p>}
    </>
  );
}
