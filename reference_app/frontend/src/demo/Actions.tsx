import { type ReactNode, useRef, useState } from "react";

import type { Cause, Causes } from "./causes";
import type { Python } from "./python";
import { PythonLine } from "./PythonLine";

interface Props {
  causes: Causes;
  /** What is to be said in place of an outcome. */
  notice?: ReactNode;
}

interface Outcome {
  text: string;
  failed: boolean;
  python: Python | null;
}

const NONE: Outcome = { text: "", failed: false, python: null };

const HINT = "Press a button. Here you read what the server runs for it.";

/** The buttons that make something happen, and what came of the last one. */
export function Actions({ causes, notice }: Props) {
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const presses = useRef(0);
  const run = async ({ act, obstacle, python }: Cause) => {
    const press = (presses.current += 1);
    const tell = (text: string, failed: boolean) => {
      if (press !== presses.current) return;
      setOutcome({ text, failed, python: failed ? null : python });
    };
    setOutcome(NONE); // what comes again is read out again
    if (obstacle) return tell(obstacle, true);
    await act().then(
      (text) => tell(text, false),
      (error: Error) => tell(error.message, true),
    );
  };
  const group = (name: keyof Causes, label: string) =>
    causes[name].length > 0 && <Group name={name} label={label} causes={causes[name]} run={run} />;

  return (
    <div className="actions">
      <div className="sending">
        {group("primary", "Send something")}
        {group("secondary", "Send more")}
      </div>
      {group("breaking", "Break it")}
      <div className="said">
        {notice ?? (
          <>
            {!outcome && <p className="hint">{HINT}</p>}
            <p role="status" className={outcome?.failed ? "outcome failed" : "outcome"}>
              {outcome?.text}
            </p>
            {outcome?.python && <PythonLine {...outcome.python} />}
          </>
        )}
      </div>
    </div>
  );
}

interface GroupProps {
  name: keyof Causes;
  label: string;
  causes: Cause[];
  run: (cause: Cause) => Promise<void>;
}

function Group({ name, label, causes, run }: GroupProps) {
  return (
    <div className={`buttons ${name}`} role="group" aria-label={label}>
      {name === "breaking" && <span className="label">{label}</span>}
      {/* By its place: a button that turns into its opposite keeps the focus. */}
      {causes.map((cause, place) => (
        <CauseButton key={place} cause={cause} run={run} />
      ))}
    </div>
  );
}

/** A button that says when it is busy, or cannot work; it keeps the focus then, and can be asked why. */
function CauseButton({ cause, run }: { cause: Cause; run: (cause: Cause) => Promise<void> }) {
  const [isBusy, setIsBusy] = useState(false);
  const press = async () => {
    if (isBusy) return;
    setIsBusy(true);
    await run(cause);
    setIsBusy(false);
  };
  return (
    <button
      aria-busy={isBusy}
      aria-disabled={isBusy || cause.obstacle !== undefined}
      title={cause.obstacle}
      onClick={() => void press()}
    >
      {cause.label}
    </button>
  );
}
