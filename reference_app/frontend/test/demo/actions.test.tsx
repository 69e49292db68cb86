import { act, cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, test, vi } from "vitest";

import { Actions } from "../../src/demo/Actions";
import type { Cause, Causes } from "../../src/demo/causes";

afterEach(cleanup);

const python = { file: "api/views.py", line: "resource.save()" };
const cause = (label: string, act = async () => "", obstacle?: string): Cause => ({
  label,
  act,
  python,
  obstacle,
});
const none: Causes = { primary: [], secondary: [], breaking: [] };
const actions = (...labels: string[]) => (
  <Actions causes={{ ...none, breaking: labels.map((label) => cause(label)) }} />
);

test("a button that turns into its opposite keeps the focus", () => {
  const { rerender } = render(actions("Sign out", "Leave"));
  screen.getByRole("button", { name: "Leave" }).focus();
  rerender(actions("Sign out", "Join"));
  expect(document.activeElement).toBe(screen.getByRole("button", { name: "Join" }));
});

describe("what came of a button", () => {
  const outcome = () => screen.getByRole("status").textContent;
  const isBusy = (name: string) => screen.getByRole("button", { name }).getAttribute("aria-busy");
  const press = (name: string) => fireEvent.click(screen.getByRole("button", { name }));

  function show(acts: Record<string, () => Promise<string>>): void {
    const primary = Object.entries(acts).map(([label, act]) => cause(label, act));
    render(<Actions causes={{ ...none, primary }} />);
  }

  test("is said again when it comes again", async () => {
    show({ Notify: async () => "Accepted." });
    press("Notify");
    await waitFor(() => expect(outcome()).toBe("Accepted."));
    await waitFor(() => expect(isBusy("Notify")).toBe("false"));
    press("Notify");
    expect(outcome()).toBe("");
    await waitFor(() => expect(outcome()).toBe("Accepted."));
  });

  test("is that of the last, though an earlier one takes longer", async () => {
    let finish!: (text: string) => void;
    const slow = new Promise<string>((resolve) => (finish = resolve));
    show({ Slow: () => slow, Quick: async () => "quick" });
    press("Slow");
    press("Quick");
    await waitFor(() => expect(outcome()).toBe("quick"));
    await act(async () => finish("slow"));
    expect(outcome()).toBe("quick");
  });

  test("stands beside the line of Python behind it, unless it failed", async () => {
    show({ Save: async () => "Saved.", Fail: () => Promise.reject(new Error("You may not.")) });
    press("Save");
    await screen.findByText("resource.save()");
    press("Fail");
    await screen.findByText("You may not.");
    expect(screen.queryByText("resource.save()")).toBeNull();
  });

  test("comes once, however often a busy button is pressed", async () => {
    let finish!: (text: string) => void;
    const act = vi.fn(() => new Promise<string>((resolve) => (finish = resolve)));
    show({ Slow: act });
    press("Slow");
    await waitFor(() => expect(isBusy("Slow")).toBe("true"));
    press("Slow");
    finish("done");
    await waitFor(() => expect([outcome(), isBusy("Slow")]).toEqual(["done", "false"]));
    expect(act).toHaveBeenCalledTimes(1);
  });

  test("is the reason of a button that cannot work", async () => {
    const act = vi.fn(async () => "done");
    render(<Actions causes={{ ...none, primary: [cause("Save", act, "Join first.")] }} />);
    expect(screen.getByRole("button").getAttribute("aria-disabled")).toBe("true");
    press("Save");
    await screen.findByText("Join first.");
    expect(act).not.toHaveBeenCalled();
  });
});
