/** The dashboard's entry point: the navigation, the connection notice, the API key, and the page that the address names. */

import "./prefetch.js";
import { refresh } from "./addresses.js";
import { changeKey, connection, setKeyPrompt } from "./api.js";
import { askForKey } from "./components/forms/api-key-dialog.js";
import { h } from "./dom.js";
import { startRouter } from "./router.js";
import { ROUTES } from "./routes.js";

const navigation = document.getElementById("pages");
for (const { nav, path } of ROUTES) if (nav) navigation.append(h("a", { href: `#/${path}` }, nav));

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the part behind the # is the page's address
  document.getElementById("content").focus();
});

const otherKey = document.getElementById("other-key");
connection.addEventListener("change", () => {
  const notice = document.getElementById("connection");
  notice.hidden = !connection.lost;
  notice.textContent = connection.lost ?? "";
  otherKey.hidden = !connection.keyed;
});

setKeyPrompt(askForKey);
otherKey.addEventListener("click", async () => {
  await changeKey();
  if (document.querySelector("#content > .empty[role=alert]")) refresh(); // the new key may be allowed to see it
});

startRouter(ROUTES);
