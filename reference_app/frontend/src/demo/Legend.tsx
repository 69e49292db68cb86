/** The four words that the page is about. */
const TERMS = {
  Notification: "goes to one person, on every page that the person has open.",
  Event: "goes to every member of an organization, and to nobody else.",
  "Close code": "is the number with which the server ends a socket. It says whether to come back.",
  Resume: "means that a client comes back, says where it was, and gets all that it missed.",
};

/** What a visitor has to know to read the page. */
export function Legend() {
  return (
    <dl className="legend">
      {Object.entries(TERMS).map(([term, meaning]) => (
        <div key={term}>
          <dt>{term}</dt> <dd>{meaning}</dd>
        </div>
      ))}
    </dl>
  );
}
