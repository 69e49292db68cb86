import type { ComponentProps } from "react";

/**
 * A button that goes away, or goes dead, when it is pressed: what it belongs to takes the focus.
 *
 * A browser would give it to the whole page, and whoever uses a keyboard would have to begin anew.
 */
export function LeavingButton({ onClick, ...rest }: ComponentProps<"button">) {
  return (
    <button
      {...rest}
      onClick={(event) => {
        const home = event.currentTarget.closest(".panel, .session")!;
        home.querySelector<HTMLElement>("h2, [role=list]")!.focus();
        onClick?.(event);
      }}
    />
  );
}
