"""What the checking scripts share: where the tree is, which files it holds, how a finding is printed."""

import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def files(*patterns):
    """Paths, relative to the root, of the files that git knows or would add, by git's patterns; sorted."""
    command = ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns]
    listed = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    return sorted(path for path in set(listed.split("\0")) if path and os.path.exists(os.path.join(ROOT, path)))


def lines(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read().split("\n")


def finish(findings):
    """Print the findings and end the script: with status 1 when there are any."""
    for finding in findings:
        print(finding)
    sys.exit(1 if findings else 0)
