import { describe, expect, test } from "vitest";

import { EMPTY, type Inbox, type InboxAction, inboxAfter, MOST_TOASTS } from "../../src/demo/inbox";

const listed = (from: number, to: number): InboxAction => ({
  type: "listed",
  items: Array.from({ length: to - from + 1 }, (_, index) => ({
    key: `key ${from + index}`,
    offset: from + index,
    title: `n${from + index}`,
    body: "",
  })),
  arrived: to,
});
const after = (...actions: InboxAction[]): Inbox => actions.reduce(inboxAfter, EMPTY);

describe("an inbox", () => {
  test("counts what comes as unread, and nothing twice", () => {
    expect(after(listed(1, 2)).unread).toBe(2);
    expect(after(listed(1, 2), listed(1, 2), listed(1, 3)).unread).toBe(3);
  });

  test("counts what came and went between two renderings", () => {
    const inbox = after(listed(901, 1_000));
    expect(inbox.unread).toBe(1_000);
    expect(inbox.more).toBe(1_000 - MOST_TOASTS);
  });

  test("shows three toasts at most, and counts the others", () => {
    const inbox = after(listed(1, 2), listed(1, 5));
    expect(inbox.toasts.map(({ key }) => key)).toEqual(["key 1", "key 2", "key 3"]);
    expect(inbox.more).toBe(2);
    expect(inboxAfter(inbox, { type: "toasts over" })).toMatchObject({ toasts: [], more: 0 });
  });

  test("a list that began anew is counted from its own beginning", () => {
    const nothing: InboxAction = { type: "listed", items: [], arrived: 0 };
    expect(after(listed(1, 3), nothing, listed(1, 1)).unread).toBe(4);
  });

  test("what was too large to be sent is unread too", () => {
    const frame = { type: "entry.omitted", offset: 1, position: "key 1", size: 2_000_000 } as const;
    const items = [{ key: "key 1", offset: 1, omitted: frame }];
    const inbox = after({ type: "listed", items, arrived: 1 });
    expect(inbox).toMatchObject({ unread: 1, toasts: items });
    expect(inboxAfter(inbox, { type: "read", key: "key 1" }).unread).toBe(0);
  });

  test("reading one takes it from the count, once", () => {
    const read: InboxAction = { type: "read", key: "key 1" };
    const inbox = after(listed(1, 2), read, read);
    expect(inbox.unread).toBe(1);
    expect(inbox.read).toEqual(new Set(["key 1"]));
    expect(inboxAfter(inbox, listed(1, 3))).toMatchObject({ unread: 2, read: new Set(["key 1"]) });
  });

  test("forgets that it read what the list no longer holds", () => {
    const inbox = after(listed(1, 2), { type: "read", key: "key 1" }, listed(2, 3));
    expect(inbox.read.size).toBe(0);
  });

  test("reading all leaves nothing unread, also of what the list no longer holds", () => {
    const arrived = listed(901, 1_000);
    const items = arrived.type === "listed" ? arrived.items : [];
    const inbox = after(arrived, { type: "all read", items });
    expect(inbox.unread).toBe(0);
    expect(inbox.read.size).toBe(100);
  });
});
