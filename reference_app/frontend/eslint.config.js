import hooks from "eslint-plugin-react-hooks";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

/** What a name with an underscore says: it is there to be left out. */
const unused = {
  argsIgnorePattern: "^_",
  varsIgnorePattern: "^_",
  destructuredArrayIgnorePattern: "^_",
};

export default defineConfig(
  { ignores: ["dist/**"] },
  tseslint.configs.recommended,
  {
    files: ["src/**"],
    plugins: { "react-hooks": hooks },
    rules: {
      "react-hooks/rules-of-hooks": "error",
      "react-hooks/exhaustive-deps": "error",
    },
  },
  {
    rules: {
      "@typescript-eslint/no-unused-vars": ["error", unused],
      // `found!` fails a test as well as an assertion would, and says where.
      "@typescript-eslint/no-non-null-assertion": "off",
    },
  },
);
