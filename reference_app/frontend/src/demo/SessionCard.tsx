import type { ReactNode } from "react";

interface Props {
  username?: string;
  name: string;
  /** What the person is called in short. */
  given: string;
  control: ReactNode;
  children: ReactNode;
}

/** A session as it looks: whose it is, how to change that, and what there is to see. */
export function SessionCard({ username, name, given, control, children }: Props) {
  return (
    <section className="session" aria-label={given} data-person={username}>
      <header>
        <span className="avatar" aria-hidden="true">
          {given.charAt(0)}
        </span>
        <h2 tabIndex={-1}>{name}</h2>
        <div className="controls">{control}</div>
      </header>
      {children}
    </section>
  );
}
