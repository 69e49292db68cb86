import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { Account } from "../../src/demo/account";
import { type Ask, GrantRefusedError } from "../../src/demo/issuer";
import { SignInRequiredError } from "../../src/realtime";

const LIFESPAN = 300;

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** An issuer that gives token-1, token-2 and so on. */
function issuer() {
  let count = 0;
  return vi.fn<Ask>(async (lifespan = LIFESPAN) => {
    count += 1;
    return { token: `token-${count}`, expiresAt: Date.now() + lifespan * 1_000 };
  });
}

describe("an account", () => {
  test("asks once for two sockets and a request that begin together", async () => {
    const ask = issuer();
    const account = new Account(ask);
    const asked = [account.provider()("first"), account.provider()("first"), account.token()];
    expect(await Promise.all(asked)).toEqual(["token-1", "token-1", "token-1"]);
    expect(ask).toHaveBeenCalledTimes(1);
  });

  test("gives no socket the token again that failed it, and shares the one that follows", async () => {
    const ask = issuer();
    const account = new Account(ask);
    const [one, other] = [account.provider(), account.provider()];
    await Promise.all([one("first"), other("first")]);
    expect(await one("rejected")).toBe("token-2");
    expect(await other("rejected")).toBe("token-2");
    expect(await other("expiring")).toBe("token-3");
    expect(ask).toHaveBeenCalledTimes(3);
  });

  test("asks anew where the token has no time left", async () => {
    const account = new Account(issuer());
    await account.token();
    vi.setSystemTime(Date.now() + LIFESPAN * 1_000 - 500);
    expect(await account.token()).toBe("token-2");
  });

  test("goes on with a token that lives shorter, and returns the one before", async () => {
    const ask = issuer();
    const account = new Account(ask);
    const socket = account.provider();
    await socket("first");
    expect(await account.shorten(5)).toBe("token-1");
    expect(ask).toHaveBeenLastCalledWith(5);
    expect(await socket("rejected")).toBe("token-2");
    expect(await socket("expiring")).toBe("token-3");
    expect(ask).toHaveBeenLastCalledWith();
  });

  test("with renewing switched off, a token is the last", async () => {
    const account = new Account(issuer());
    account.renews = false;
    const socket = account.provider();
    expect(await socket("first")).toBe("token-1");
    await expect(socket("expiring")).rejects.toThrow(SignInRequiredError);
    await expect(socket("rejected")).rejects.toThrow("Renewing is switched off.");
  });

  test("gives nothing after signing out", async () => {
    const account = new Account(issuer());
    const socket = account.provider();
    await socket("first");
    expect(await account.signOut()).toBe("token-1");
    await expect(socket("rejected")).rejects.toThrow(SignInRequiredError);
    await expect(account.token()).rejects.toThrow("You signed out.");
  });

  test("gives nothing after signing out, though it was asked for before", async () => {
    let give!: (token: string) => void;
    const ask: Ask = () =>
      new Promise((resolve) => {
        give = (token) => resolve({ token, expiresAt: Date.now() + LIFESPAN * 1_000 });
      });
    const account = new Account(ask, { token: "token-0", expiresAt: Infinity });
    const [one, other] = [account.provider(), account.provider()];
    await Promise.all([one("first"), other("first")]);
    const renewing = one("expiring");
    await account.signOut();
    give("token-1");
    await expect(renewing).rejects.toThrow("You signed out.");
    await expect(other("rejected")).rejects.toThrow("You signed out.");
  });

  test("waits not for ever for an issuer, and asks again", async () => {
    const ask = issuer();
    ask.mockReturnValueOnce(new Promise(() => {}));
    const account = new Account(ask);
    const [refused] = await Promise.all([
      account.token().catch((error: Error) => error.message),
      vi.advanceTimersByTimeAsync(8_000),
    ]);
    expect(refused).toBe("The issuer of tokens does not answer.");
    expect(await account.token()).toBe("token-1");
  });

  test("begins with the token of a sign-in, where there is one", async () => {
    const ask = issuer();
    const signedIn = { token: "token-0", expiresAt: Date.now() + LIFESPAN * 1_000 };
    const account = new Account(ask, signedIn);
    const socket = account.provider();
    expect(await socket("first")).toBe("token-0");
    expect(await socket("rejected")).toBe("token-1");
    expect(ask).toHaveBeenCalledTimes(1);
  });

  test("a grant that is refused needs the user; an issuer out of reach does not", async () => {
    const ask = issuer();
    ask.mockRejectedValueOnce(new GrantRefusedError("Invalid user credentials"));
    ask.mockRejectedValueOnce(new TypeError("Failed to fetch"));
    const account = new Account(ask);
    await expect(account.token()).rejects.toThrow(SignInRequiredError);
    await expect(account.token()).rejects.toThrow(TypeError);
    expect(await account.token()).toBe("token-1");
  });
});
