import { addressOf } from "./address";

/** Who sends a request. */
export interface Sender {
  token(): Promise<string>;
}

/** The server understood, and said no: a sentence for people. */
export class RequestRefusedError extends Error {
  override name = "RequestRefusedError";
}

/** Send one request to a path of the server as its sender, and return the answer. */
export async function request(
  sender: Sender,
  method: "GET" | "POST" | "DELETE",
  path: string,
  body?: object,
): Promise<Record<string, unknown>> {
  const headers: Record<string, string> = { Authorization: `Bearer ${await sender.token()}` };
  if (body) headers["Content-Type"] = "application/json";
  const asked = { method, headers, body: body && JSON.stringify(body) };
  const answer = await fetch(addressOf(path), asked).catch(() => {
    // A browser says no more than "Failed to fetch".
    throw new Error("The server is out of reach.");
  });
  const isJson = answer.headers.get("Content-Type")?.startsWith("application/json");
  const said = isJson ? await answer.json() : {};
  if (!answer.ok) throw new RequestRefusedError(said.message ?? `HTTP ${answer.status}.`);
  return said;
}
