"""Chromium without a window, driven by Selenium: pages, pointer, keys, files, pictures, and what it complains of.

Nothing here depends on how fast a machine is: whoever has asked for something waits until it is so.
"""

import base64
import json
import pathlib
import time

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

LOOK = (pathlib.Path(__file__).parent / "look.js").read_text()
# Seconds after which a state that was asked for is given up: a machine that is busy with other things takes some.
PATIENCE = 120


def wait(holds, seconds=PATIENCE):
    """Waits until `holds()` is true; says whether it came to be."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


class Browser:
    def __init__(self, out):
        self.out = out
        self.downloads = out / "downloads"
        self.downloads.mkdir(parents=True, exist_ok=True)
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        # Chromium's own sandbox needs rights that a container does not give.
        for flag in ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars",
                     "--disable-background-networking", "--disable-component-update", "--no-first-run"]:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        self.driver.set_script_timeout(PATIENCE)
        self.driver.set_page_load_timeout(PATIENCE)
        self.cdp("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(self.downloads.resolve()))

    def cdp(self, command, **arguments):
        return self.driver.execute_cdp_cmd(command, arguments)

    def quit(self):
        self.driver.quit()

    def window(self, width=1280, height=900, phone=False):
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height,
                 deviceScaleFactor=2 if phone else 1, mobile=phone)
        self.until(f"document.documentElement.clientWidth === {width}")

    def media(self, scheme="light", media=""):
        self.cdp("Emulation.setEmulatedMedia", media=media,
                 features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.until(f"matchMedia('(prefers-color-scheme: {scheme})').matches"
                   f" && matchMedia('print').matches === {'true' if media == 'print' else 'false'}")

    def open(self, address):
        """Shows a page and returns the seconds until it had loaded and been drawn."""
        started = time.monotonic()
        self.driver.get(address)
        self.drawn()
        return time.monotonic() - started

    def drawn(self):
        """Waits until the page as it is now has been drawn, and has been told of what moved it."""
        self.driver.execute_async_script(
            "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done()));")

    def js(self, expression, *arguments):
        return self.driver.execute_script(f"return {expression}", *arguments)

    def look(self, call):
        return self.driver.execute_script(f"{LOOK}\nreturn look.{call};")

    def point(self, x, y):
        self.cdp("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def key(self, name, code):
        for kind in ["keyDown", "keyUp"]:
            self.cdp("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=code)

    def wait(self, expression, seconds=PATIENCE):
        """Waits until an expression is true; says whether it came to be."""
        return wait(lambda: self.js(expression), seconds)

    def until(self, expression):
        """The same for what the browser itself must do: there is nothing to look at without it."""
        if not self.wait(expression):
            raise TimeoutError(expression)

    def picture(self, name, whole=True):
        """Keeps a picture of the window, or of the whole page."""
        clip = {}
        if whole:
            size = self.cdp("Page.getLayoutMetrics")["cssContentSize"]
            clip = {"clip": {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 16000), "scale": 1},
                    "captureBeyondViewport": True}
        data = self.cdp("Page.captureScreenshot", format="png", **clip)["data"]
        (self.out / f"{name}.png").write_bytes(base64.b64decode(data))

    def paper(self, name):
        """Prints on A4 and returns the number of pages."""
        data = self.cdp("Page.printToPDF", paperWidth=8.27, paperHeight=11.69, printBackground=True)["data"]
        pdf = base64.b64decode(data)
        (self.out / f"{name}.pdf").write_bytes(pdf)
        return pdf.count(b"/Type /Page\n")

    def complaints(self):
        """What the console says since the last call."""
        return [f'{entry["level"]}: {entry["message"]}' for entry in self.driver.get_log("browser")]

    def requests(self):
        """The addresses asked for since the last call."""
        events = (json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance"))
        return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
