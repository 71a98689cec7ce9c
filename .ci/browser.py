#!/usr/bin/env python3
"""Opens pages in headless Chromium and fails unless they work: nothing on the console, nothing asked of
a network, charts and tables there, no sideways scrolling; in light, in dark and on a phone.

    .ci/browser.py PAGE.html... [--shots FOLDER]

With --shots it also writes pictures of the pages and a PDF of each. Needs Chromium and nothing else: it
speaks the DevTools protocol over a pipe. CHROMIUM names another binary.
"""

import argparse
import base64
import json
import os
import pathlib
import select
import shutil
import subprocess
import sys
import tempfile
import time

VIEWS = [("light", "light", 1200, 900), ("dark", "dark", 1200, 900), ("phone", "light", 390, 844)]
# What a page says of itself once it is there.
PROBE = """(() => {
  const own = (e) => getComputedStyle(e);
  const charts = [...document.querySelectorAll('svg')];
  const letters = charts.flatMap((svg) => [...svg.querySelectorAll('text')].map((text) =>
    parseFloat(own(text).fontSize) * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width));
  return {
    title: document.title,
    headings: [...document.querySelectorAll('h2')].map((h) => h.textContent.trim()),
    words: document.body.innerText.split(/\\s+/).length,
    charts: charts.length,
    empty: charts.filter((svg) => svg.querySelectorAll('rect,path,polyline,polygon,line,circle').length < 2).length,
    unnamed: charts.filter((svg) => !svg.querySelector('title')?.textContent).length,
    tables: document.querySelectorAll('table tbody tr').length,
    wider: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    smallest: Math.min(1000, ...letters),
    background: own(document.body).backgroundColor,
    ink: own(document.body).color,
  };
})()"""


class Browser:
    """A Chromium with a pipe for commands and a pipe for answers and events."""

    def __init__(self, binary, profile):
        commands, self.commands = os.pipe()
        self.answers, answers = os.pipe()

        def pipes():
            # Chromium reads from 3 and writes to 4.
            read, write = os.dup(commands), os.dup(answers)
            os.dup2(read, 3)
            os.dup2(write, 4)

        self.process = subprocess.Popen(
            [binary, "--headless=new", "--no-sandbox", "--remote-debugging-pipe", "--disable-gpu", "--no-first-run",
             "--disable-dev-shm-usage", f"--user-data-dir={profile}"],
            preexec_fn=pipes, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(commands)
        os.close(answers)
        self.buffer, self.next, self.events = b"", 0, []

    def message(self, patience=60.0):
        end = time.monotonic() + patience
        while b"\0" not in self.buffer:
            if not select.select([self.answers], [], [], max(0.0, end - time.monotonic()))[0]:
                raise TimeoutError("Chromium does not answer")
            piece = os.read(self.answers, 1 << 20)
            if not piece:
                raise ConnectionError("Chromium has ended")
            self.buffer += piece
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, session=None, **parameters):
        self.next += 1
        command = {"id": self.next, "method": method, "params": parameters}
        if session:
            command["sessionId"] = session
        os.write(self.commands, json.dumps(command).encode() + b"\0")
        while True:
            message = self.message()
            if message.get("id") == self.next:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']['message']}")
                return message["result"]
            self.events.append(message)

    def wait(self, method):
        while not any(event.get("method") == method for event in self.events):
            self.events.append(self.message())

    def close(self):
        try:
            self.call("Browser.close")
            self.process.wait(20)
        except (ConnectionError, TimeoutError, OSError, subprocess.TimeoutExpired):
            self.process.kill()


def complaints(events, url):
    """What a page said on the console, and what it asked for besides itself."""
    for event in events:
        method, parameters = event.get("method"), event.get("params", {})
        if method == "Runtime.exceptionThrown":
            yield f"an exception: {parameters['exceptionDetails']['text']}"
        elif method == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning", "assert"):
            yield f"console {parameters['type']}"
        elif method == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
            yield f"{parameters['entry']['level']}: {parameters['entry']['text']}"
        elif method == "Network.requestWillBeSent" and parameters["request"]["url"] != url:
            yield f"asked for {parameters['request']['url']}"


def look(browser, page, view, shots):
    """Opens a page in one of the views; gives what is wrong with it."""
    name, scheme, width, height = view
    url = page.resolve().as_uri()
    target = browser.call("Target.createTarget", url="about:blank")["targetId"]
    session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    for domain in ("Runtime", "Log", "Page", "Network"):
        browser.call(f"{domain}.enable", session)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.call("Emulation.setEmulatedMedia", session, features=features)
    browser.call("Emulation.setDeviceMetricsOverride", session, width=width, height=height, deviceScaleFactor=1,
                 mobile=name == "phone")
    browser.events.clear()
    browser.call("Page.navigate", session, url=url)
    browser.wait("Page.loadEventFired")
    seen = browser.call("Runtime.evaluate", session, expression=PROBE, returnByValue=True)["result"]["value"]
    wrong = list(complaints(browser.events, url))
    wants = [
        (seen["title"], "no title"),
        (len(seen["headings"]) >= 5, f"only {len(seen['headings'])} parts"),
        (seen["words"] >= 300, f"only {seen['words']} words"),
        (seen["charts"] >= 3, f"only {seen['charts']} charts"),
        (seen["empty"] == 0, f"{seen['empty']} empty charts"),
        (seen["unnamed"] == 0, f"{seen['unnamed']} charts without a name"),
        (seen["tables"] >= 10, f"only {seen['tables']} rows in tables"),
        (seen["wider"] <= 0, f"{seen['wider']} pixels wider than the screen"),
        (seen["smallest"] >= 7.5, f"letters of {seen['smallest']:.1f} pixels in a chart"),
    ]
    wrong += [text for holds, text in wants if not holds]
    if shots:
        base = shots / f"{page.stem}-{name}"
        picture = browser.call("Page.captureScreenshot", session, captureBeyondViewport=True)
        base.with_suffix(".png").write_bytes(base64.b64decode(picture["data"]))
        if name == "light":
            paper = browser.call("Page.printToPDF", session, printBackground=True, preferCSSPageSize=True)
            base.with_suffix(".pdf").write_bytes(base64.b64decode(paper["data"]))
    browser.call("Target.closeTarget", targetId=target)
    print(f"{page.name}, {name}: {seen['charts']} charts, {seen['tables']} rows, {seen['words']} words, "
          f"{seen['ink']} on {seen['background']}")
    return [f"{page.name}, {name}: {text}" for text in wrong], seen["background"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("pages", nargs="+", type=pathlib.Path)
    parser.add_argument("--shots", type=pathlib.Path)
    arguments = parser.parse_args()
    binary = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not binary:
        sys.exit("there is no Chromium: install the package `chromium`, or name a binary in CHROMIUM")
    if arguments.shots:
        arguments.shots.mkdir(parents=True, exist_ok=True)
    wrong = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(binary, profile)
        try:
            for page in arguments.pages:
                grounds = {}
                for view in VIEWS:
                    more, grounds[view[0]] = look(browser, page, view, arguments.shots)
                    wrong += more
                if grounds["light"] == grounds["dark"]:
                    wrong.append(f"{page.name}: light and dark look the same")
        finally:
            browser.close()
    for line in wrong:
        print(f"WRONG  {line}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
