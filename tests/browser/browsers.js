// Chromium and Firefox behind one small interface: playwright-core drives the first, puppeteer-core the second, which playwright
// only drives in a build of its own. Both are the machine's browsers; nothing is downloaded.
"use strict";

const kBound = 30000;   // ms

class Page {
  constructor(page, close) {
    this.page = page;
    this.close = close;
    this.said = [];       // on the console, where violations of the Content-Security-Policy are reported as well
    this.asked = [];      // URLs
    page.on("console", message => {
      if (["error", "warning", "warn"].includes(message.type())) this.said.push(message.text());
    });
    page.on("pageerror", error => this.said.push(String(error)));
    page.on("request", request => this.asked.push(request.url()));
  }

  goto(url) { return this.page.goto(url, { waitUntil: "load" }); }
  evaluate(...args) { return this.page.evaluate(...args); }
  press(key) { return this.page.keyboard.press(key); }

  // Until `condition`, a function of the page, is true for `argument`; the error says what did not come.
  async until(what, condition, argument) {
    try {
      await this.wait(condition, argument, { timeout: kBound, polling: 50 });
    } catch (error) {
      throw new Error(`${what}: did not come (${error.message.split("\n")[0]})`);
    }
  }
}

class ChromiumPage extends Page {
  wait(condition, argument, options) { return this.page.waitForFunction(condition, argument, options); }
}

class FirefoxPage extends Page {
  wait(condition, argument, options) { return this.page.waitForFunction(condition, options, argument); }
}

async function startChromium(path) {
  const { chromium } = require("playwright-core");
  const browser = await chromium.launch({ executablePath: path, args: ["--no-sandbox", "--disable-gpu"] });
  return {
    async open({ dark = false, width = 1280, script = true } = {}) {
      const context = await browser.newContext({ colorScheme: dark ? "dark" : "light", javaScriptEnabled: script,
        viewport: { width, height: 900 } });
      return new ChromiumPage(await context.newPage(), () => context.close());
    },
    close: () => browser.close(),
  };
}

// The theme is a preference of the browser here, so each theme is a browser.
async function startFirefox(path) {
  const puppeteer = (await import("puppeteer-core")).default;
  const browsers = new Map();
  async function browserFor(dark) {
    if (!browsers.has(dark)) {
      browsers.set(dark, await puppeteer.launch({ browser: "firefox", executablePath: path, headless: true,
        extraPrefsFirefox: { "layout.css.prefers-color-scheme.content-override": dark ? 0 : 1 } }));
    }
    return browsers.get(dark);
  }
  return {
    async open({ dark = false, width = 1280 } = {}) {
      const page = await (await browserFor(dark)).newPage();
      await page.setViewport({ width, height: 900 });
      return new FirefoxPage(page, () => page.close());
    },
    close: () => Promise.all([...browsers.values()].map(browser => browser.close())),
  };
}

module.exports = { start: (name, path) => name === "firefox" ? startFirefox(path) : startChromium(path) };
