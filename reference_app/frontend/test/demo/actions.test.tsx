import { act, cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, test } from "vitest";

import { Account } from "../../src/demo/account";
import { Actions } from "../../src/demo/Actions";
import type { Cause } from "../../src/demo/causes";

afterEach(cleanup);

const account = new Account(() => Promise.reject(new Error("Nobody asks.")));
const cause = (label: string): Cause => ({ label, act: async () => "" });
const actions = (...labels: string[]) => (
  <Actions account={account} causes={{ sending: [], breaking: labels.map(cause) }} />
);

test("a button that turns into its opposite keeps the focus", () => {
  const { rerender } = render(actions("Sign out", "Leave"));
  screen.getByRole("button", { name: "Leave" }).focus();
  rerender(actions("Sign out", "Join"));
  expect(document.activeElement).toBe(screen.getByRole("button", { name: "Join" }));
});

describe("what came of a button", () => {
  const outcome = () => screen.getByRole("status").textContent;
  const press = (name: string) => fireEvent.click(screen.getByRole("button", { name }));

  function show(acts: Record<string, () => Promise<string>>): void {
    const sending = Object.entries(acts).map(([label, act]) => ({ label, act }));
    render(<Actions account={account} causes={{ sending, breaking: [] }} />);
  }

  test("is said again when it comes again", async () => {
    show({ Notify: async () => "Accepted." });
    press("Notify");
    await waitFor(() => expect(outcome()).toBe("Accepted."));
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
});
