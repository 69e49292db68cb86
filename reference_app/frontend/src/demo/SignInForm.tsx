import type { Credentials } from "./issuer";

/** Asks for what the issuer wants to know; its answer shows in the session that begins. */
export function SignInForm({ signIn }: { signIn: (credentials: Credentials) => void }) {
  return (
    <form
      className="sign-in"
      onSubmit={(event) => {
        event.preventDefault();
        const form = new FormData(event.currentTarget);
        signIn({ username: String(form.get("username")), password: String(form.get("password")) });
      }}
    >
      <label>
        Username
        <input name="username" autoComplete="username" required />
      </label>
      <label>
        Password
        <input name="password" type="password" autoComplete="current-password" required />
      </label>
      <button className="primary">Sign in</button>
    </form>
  );
}
