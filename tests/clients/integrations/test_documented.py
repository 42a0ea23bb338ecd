"""Runs the Python programs of docs/integrations.md and compares what they print with what the page says."""

import os
import pathlib
import re
import subprocess
import sys
import unittest

PAGE = pathlib.Path(__file__).parents[3] / "docs" / "integrations.md"
EXAMPLE = re.compile(r"^## (?P<title>[^\n]+)\n(?:(?!^## ).)*?^```python\n(?P<program>.*?)^```\n+```text\n(?P<printed>.*?)^```", re.M | re.S)


class Documented(unittest.TestCase):
    def test_each_program_prints_what_the_page_says(self):
        examples = list(EXAMPLE.finditer(PAGE.read_text()))
        self.assertEqual(len(examples), 3)
        for example in examples:
            with self.subTest(example["title"]):
                run = subprocess.run(
                    [sys.executable, "-c", example["program"]], capture_output=True, text=True, timeout=120, env=os.environ
                )
                self.assertEqual(run.returncode, 0, run.stderr)
                self.assertEqual(run.stdout.strip(), example["printed"].strip(), run.stderr)


if __name__ == "__main__":
    unittest.main()
