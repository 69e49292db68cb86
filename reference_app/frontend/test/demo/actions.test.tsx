import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";

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
