"use client";

import { useEffect, useState } from "react";
import example from "../src/example.js";

export default function Page() {
  const [lines, setLines] = useState(null);
  useEffect(() => {
    const said = [];
    example({ log: (...line) => said.push(line) }).then(() => setLines(said));
  }, []);
  return lines && <output>{JSON.stringify(lines)}</output>;
}
