import "./demo.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { readConfiguration } from "./configuration";
import { Page } from "./Page";

createRoot(document.getElementById("page")!).render(
  <StrictMode>
    <Page configuration={readConfiguration()} />
  </StrictMode>,
);
