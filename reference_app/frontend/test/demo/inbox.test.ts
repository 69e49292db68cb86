import { describe, expect, test } from "vitest";

import { EMPTY, type Inbox, type InboxAction, inboxAfter, MOST_TOASTS } from "../../src/demo/inbox";

const listed = (from: number, to: number, epoch = "e1"): InboxAction => ({
  type: "listed",
  items: Array.from({ length: to - from + 1 }, (_, index) => ({
    key: `${epoch}:${from + index}`,
    title: `n${from + index}`,
    body: "",
  })),
});
const established = (offset: number, epoch = "e1"): InboxAction => ({
  type: "established",
  at: { epoch, offset },
});
const after = (...actions: InboxAction[]): Inbox => actions.reduce(inboxAfter, EMPTY);

describe("an inbox", () => {
  test("counts what comes as unread, and nothing twice", () => {
    expect(after(established(4), listed(5, 6)).unread).toBe(2);
    expect(after(established(4), listed(5, 6), listed(5, 6), listed(5, 7)).unread).toBe(3);
  });

  test("counts what came and went between two renderings", () => {
    const inbox = after(established(0), listed(901, 1_000));
    expect(inbox.unread).toBe(1_000);
    expect(inbox.more).toBe(1_000 - MOST_TOASTS);
  });

  test("shows three toasts at most, and counts the others", () => {
    const inbox = after(established(0), listed(1, 2), listed(1, 5));
    expect(inbox.toasts.map(({ title }) => title)).toEqual(["n1", "n2", "n3"]);
    expect(inbox.more).toBe(2);
    expect(inboxAfter(inbox, { type: "toasts over" })).toMatchObject({ toasts: [], more: 0 });
  });

  test("coming back counts on from where it was, as what was missed is replayed", () => {
    expect(after(established(0), listed(1, 3), established(3), listed(1, 5)).unread).toBe(5);
  });

  test("a greeting does not count what is about to be listed as seen", () => {
    expect(after(established(0), established(2), listed(1, 2)).unread).toBe(2);
  });

  test("a stream that began anew is counted from its own beginning", () => {
    expect(after(established(0), listed(1, 3), established(7, "e2"), listed(8, 8, "e2")).unread).toBe(4);
  });

  test("reading one takes it from the count, once", () => {
    const read: InboxAction = { type: "read", key: "e1:1" };
    const inbox = after(established(0), listed(1, 2), read, read);
    expect(inbox.unread).toBe(1);
    expect(inbox.read).toEqual(new Set(["e1:1"]));
    expect(inboxAfter(inbox, listed(1, 3))).toMatchObject({ unread: 2, read: new Set(["e1:1"]) });
  });

  test("forgets that it read what the list no longer holds", () => {
    const inbox = after(established(0), listed(1, 2), { type: "read", key: "e1:1" }, listed(2, 3));
    expect(inbox.read.size).toBe(0);
  });

  test("reading all leaves nothing unread, also of what the list no longer holds", () => {
    const arrived = listed(901, 1_000);
    const items = arrived.type === "listed" ? arrived.items : [];
    const inbox = after(established(0), arrived, { type: "all read", items });
    expect(inbox.unread).toBe(0);
    expect(inbox.read.size).toBe(100);
  });
});
