// Looks at the status page as a person would: node status-page.js chromium|firefox PATH URL. Prints one line for each check: its
// name, and behind a tab what is wrong, or nothing.
"use strict";

const axe = require("fs").readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const { start } = require("./browsers.js");

const [name, path, url] = process.argv.slice(2);

function must(fact, otherwise) {
  if (!fact) throw new Error(otherwise);
}

// Until a fact that the page does not know.
async function untilHere(what, isTrue) {
  for (let tries = 0; !isTrue(); ++tries) {
    must(tries < 600, `${what}: did not come`);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

// Not as a script of the page, which its policy would refuse.
async function judge(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations", "incomplete"] }));
  const words = rules => rules.map(rule => `${rule.id}: ${rule.nodes.map(node => node.target.join(" ")).slice(0, 4).join(", ")}`);
  must(found.violations.length === 0, `axe-core: ${words(found.violations).join("; ")}`);
}

const rowCount = () => document.querySelectorAll("#list tbody tr[data-key]").length;
const isLive = () => document.querySelectorAll("#plots .line").length >= 7;

async function isAccessible(browser, options) {
  const page = await browser.open(options);
  await page.goto(url);
  await page.until("live plots", isLive);
  const isDark = await page.evaluate(() => matchMedia("(prefers-color-scheme: dark)").matches);
  must(isDark === Boolean(options.dark), "it is the other theme");
  await judge(page);
  const width = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  must(width[0] <= width[1], `the page is ${width[0]} px wide in a window of ${width[1]}`);
  must(page.said.length === 0, `the console has: ${page.said.join("; ")}`);
  must(page.asked.every(asked => asked.startsWith(url)), `it asks for ${page.asked.filter(asked => !asked.startsWith(url))}`);
  await page.close();
}

const checks = {
  "nothing is wrong for axe-core, in a wide light window": browser => isAccessible(browser, {}),
  "nothing is wrong for axe-core, in the dark": browser => isAccessible(browser, { dark: true }),
  "nothing is wrong for axe-core, and nothing is cut, at 360 pixels": browser => isAccessible(browser, { width: 360 }),

  async "plots move with the load"(browser) {
    const page = await browser.open();
    await page.goto(url);
    const shown = () => [...document.querySelectorAll("#plots figure")].map(figure =>
      [...figure.querySelectorAll(".key b")].map(value => parseFloat(value.textContent)));
    await page.until("open tunnels and messages in the plots", () => {
      const numbers = [...document.querySelectorAll("#plots .key b")].map(value => parseFloat(value.textContent));
      return numbers[0] > 0 && numbers[4] > 0 && numbers[5] > 0 && numbers[6] > 0 && numbers[7] > 0;
    });
    const before = await page.evaluate(() => document.querySelectorAll("#plots .line")[4].getAttribute("d"));
    await page.until("another line", old => document.querySelectorAll("#plots .line")[4].getAttribute("d") !== old, before);
    const words = await page.evaluate(() => document.querySelector("#plots svg").getAttribute("aria-label"));
    must(/^Open tunnels\. open: \d+ now, \d+ to \d+ in the last/.test(words), `the plot's words are ${words}`);
    must((await page.evaluate(shown)).length === 4, "not four plots");
    await page.close();
  },

  async "a filter that is typed keeps the focus, changes the address, and is announced"(browser) {
    const page = await browser.open();
    await page.goto(url);
    await page.until("rows", rowCount);
    const all = await page.evaluate(rowCount);
    await page.evaluate(() => document.getElementById("q").focus());
    for (const key of "path:bob") await page.press(key);
    await page.until("fewer rows", all => document.querySelectorAll("#list tbody tr[data-key]").length < all, all);
    const state = await page.evaluate(() => [document.activeElement.id, location.search, document.getElementById("announcement").textContent]);
    must(state[0] === "q" && state[1].includes("q=path%3Abob"), `focus and address are ${state}`);
    await page.until("an announcement", () => / that match; /.test(document.getElementById("announcement").textContent));
    await page.close();
  },

  async "a heading sorts by keyboard, and keeps the focus"(browser) {
    const page = await browser.open();
    await page.goto(url);
    await page.until("rows", rowCount);
    await page.evaluate(() => [...document.querySelectorAll("#list thead a")].find(link => link.textContent === "path").focus());
    await page.press("Enter");
    await page.until("another order", () => document.querySelector("#list th[aria-sort=ascending] a.sorted")?.textContent === "path");
    must(await page.evaluate(() => document.activeElement.textContent) === "path", "the focus is elsewhere");
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    must(outline !== "none", "the focus cannot be seen");
    await page.press("Enter");
    await page.until("the other order", () => document.querySelector("#list th[aria-sort=descending] a.sorted")?.textContent === "path");
    await page.evaluate(() => history.back());
    await page.until("the order before", () => document.querySelector("#list th[aria-sort=ascending] a.sorted")?.textContent === "path");
    await page.close();
  },

  async "Pause stops questions, and so does a tab that nobody sees"(browser) {
    const page = await browser.open();
    await page.page.clock.install();
    await page.goto(url);
    await page.until("live plots", () => document.querySelector("#plots .line"));
    await page.evaluate(() => document.getElementById("pause").click());
    must(await page.evaluate(() => document.getElementById("pause").getAttribute("aria-pressed")) === "true", "not pressed");
    const before = page.asked.length;
    await page.page.clock.runFor(60000);
    must(page.asked.length === before, "it asks while it is paused");
    await page.evaluate(() => {
      Object.defineProperty(document, "hidden", { configurable: true, value: true });
      document.getElementById("pause").click();
    });
    await page.page.clock.runFor(60000);
    must(page.asked.length === before, "it asks while nobody looks");
    await page.evaluate(() => {
      delete document.hidden;
      document.dispatchEvent(new Event("visibilitychange"));
    });
    await untilHere("a question when somebody looks again", () => page.asked.length > before);
    await page.close();
  },

  async "without JavaScript there are tables, a filter, sorting and pages"(browser) {
    const page = await browser.open({ script: false });
    await page.goto(url);
    must(await page.page.$("#tunnels tbody tr[data-key]"), "no rows");
    must(!await page.page.$("#plots figure"), "plots without JavaScript");
    await page.page.focus("#q");
    for (const key of "path:bob") await page.press(key);
    await Promise.all([page.page.waitForNavigation(), page.press("Enter")]);
    must(page.page.url().includes("q=path%3Abob"), `the address is ${page.page.url()}`);
    const rows = (await page.page.$$("#tunnels tbody tr[data-key]")).length;
    must(rows > 0, "nothing matches");
    await Promise.all([page.page.waitForNavigation(), page.page.click("#list thead th:nth-child(2) a")]);
    must(await page.page.$("#list th[aria-sort=ascending]") !== null, "not sorted");
    must((await page.page.$$("#tunnels tbody tr[data-key]")).length === rows, "the filter is lost");
    await page.close();
  },
};

// The driver of Firefox has no clock of its own, and does not turn JavaScript off.
const kOnlyInChromium = ["Pause stops questions, and so does a tab that nobody sees",
  "without JavaScript there are tables, a filter, sorting and pages"];

(async () => {
  const browser = await start(name, path);
  for (const [check, run] of Object.entries(checks)) {
    if (name !== "chromium" && kOnlyInChromium.includes(check)) continue;
    let problem = "";
    try {
      await run(browser);
    } catch (error) {
      problem = error.message.replaceAll(/\s+/g, " ");
    }
    console.log(`${check}\t${problem}`);
  }
  await browser.close();
})();
