import { type KeyboardEvent, useRef } from "react";

/** What a tab is called, and how much in it is unread. */
export interface Tab {
  id: string;
  username: string;
  label: string;
  unread: number;
}

interface Props {
  tabs: Tab[];
  selected: number;
  select: (index: number) => void;
}

/** One tab for each person, where there is room for one person only. */
export function Tabs({ tabs, selected, select }: Props) {
  const list = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    const next = (selected + (event.key === "ArrowRight" ? 1 : tabs.length - 1)) % tabs.length;
    select(next);
    list.current!.querySelectorAll<HTMLElement>("[role=tab]")[next]!.focus();
  };
  return (
    <div ref={list} className="tabs" role="tablist" aria-label="People" onKeyDown={move}>
      {tabs.map(({ id, username, label, unread }, index) => (
        <button
          key={index}
          id={`tab-${id}`}
          role="tab"
          data-person={username}
          aria-selected={index === selected}
          aria-controls={`panel-${id}`}
          tabIndex={index === selected ? 0 : -1}
          onClick={() => select(index)}
        >
          {label}
          {unread > 0 && (
            <span className="badge">
              {unread.toLocaleString("en")}
              <span className="unseen"> unread</span>
            </span>
          )}
        </button>
      ))}
    </div>
  );
}
