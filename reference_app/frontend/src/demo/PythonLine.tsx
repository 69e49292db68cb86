import type { Python } from "./python";

/** The line of Python behind what is shown beside it. */
export function PythonLine({ file, line }: Python) {
  const isCut = line.endsWith("(");
  return (
    <p className="python">
      <code>{isCut ? `${line}…)` : line}</code> <span className="file">{file}</span>
    </p>
  );
}
