"""Runs the Python programs of docs/integrations.md and compares what they print with what the page says.

    python test_documented.py [HEADING...]

Without headings: those of the frameworks in requirements.txt."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

PAGE = pathlib.Path(__file__).parents[3] / "docs" / "integrations.md"
EXAMPLE = re.compile(r"^## (?P<heading>[^\n]+)\n(?:(?!^## ).)*?^```python\n(?P<program>.*?)^```\n+```text\n(?P<printed>.*?)^```", re.M | re.S)

# Which environment has their packages; see requirements*.txt.
SMALL = {"LangGraph and LangChain", "OpenAI Agents SDK", "AWS Strands"}
OTHERS = {"Google ADK", "CrewAI", "Langflow"}

# It prints beside the program what it does.
TALKATIVE = {"CrewAI"}


class Documented(unittest.TestCase):
    headings = SMALL

    def test_each_program_prints_what_the_page_says(self):
        examples = {example["heading"]: example for example in EXAMPLE.finditer(PAGE.read_text())}
        self.assertEqual(set(examples), SMALL | OTHERS)
        for heading in sorted(self.headings):
            with self.subTest(heading):
                example = examples[heading]
                with tempfile.TemporaryDirectory() as folder:
                    program = pathlib.Path(folder, "program.py")
                    program.write_text(example["program"])
                    run = subprocess.run(
                        [sys.executable, program], capture_output=True, text=True, timeout=180, env=os.environ, cwd=folder
                    )
                self.assertEqual(run.returncode, 0, run.stderr)
                if heading in TALKATIVE:
                    for line in example["printed"].strip().splitlines():
                        self.assertIn(line, run.stdout, run.stderr)
                else:
                    self.assertEqual(run.stdout.strip(), example["printed"].strip(), run.stderr)


if __name__ == "__main__":
    Documented.headings = set(sys.argv[1:]) or SMALL
    unittest.main(argv=sys.argv[:1])
