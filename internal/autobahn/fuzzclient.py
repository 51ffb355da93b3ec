"""fuzzclient.py PACKAGE URL OUT CASES: run cases of the converted testsuite against the echo server at URL.

CASES are patterns separated by commas, such as 6.*. A report for each case goes to OUT, the numbers of those that did
not pass to OUT/not-passed, one line of totals to standard output. The status is 0 when every case passed.
"""
import collections
import json
import os
import sys
import traceback

package, url, out, cases = sys.argv[1:]
sys.path.insert(0, package)

from twisted.internet import reactor  # noqa: E402
from autobahntestsuite import fuzzing  # noqa: E402

PASSED = ("OK", "NON-STRICT", "INFORMATIONAL")
CLOSED = PASSED + ("FAILED BY CLIENT",)  # the fuzzer's own doing, as some cases want it

factory = fuzzing.FuzzingClientFactory({
    "outdir": out, "servers": [{"agent": "echo", "url": url}], "cases": cases.split(","),
    "exclude-cases": [], "exclude-agent-cases": {}})
if not factory.specCases:
    sys.exit("no such case: " + cases)
create_reports = factory.createReports


def reports():
    try:
        create_reports(produceHtml=False)
    except Exception:  # what calls this ends the reactor next, and must come to it
        traceback.print_exc()


factory.createReports = reports
reactor.run()

with open(os.path.join(out, "index.json")) as f:
    index = json.load(f).get("echo", {})
failed = [c for c in factory.specCases
          if c not in index or index[c]["behavior"] not in PASSED or index[c]["behaviorClose"] not in CLOSED]
with open(os.path.join(out, "not-passed"), "w") as f:
    f.write(",".join(failed))
totals = collections.Counter(c["behavior"] for c in index.values())
print(f"{len(index)} of {len(factory.specCases)} cases:",
      ", ".join(f"{n} {behavior}" for behavior, n in totals.most_common()),
      "| not passed: " + " ".join(failed) if failed else "")
sys.exit(1 if failed else 0)
