/** The dashboard's start: the navigation, and the page that the address names. */

import { changeKey, connection } from "./api.js";
import { followAddress, showAgain } from "./router.js";
import { h } from "./dom.js";
import { PAGES } from "./pages.js";

const navigation = document.getElementById("pages");
for (const page of PAGES.filter((page) => page.nav)) {
  navigation.append(h("a", { href: `#/${page.path}` }, page.nav));
}

const skip = document.querySelector(".skip");
skip.addEventListener("click", (event) => {
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

otherKey.addEventListener("click", async () => {
  await changeKey();
  if (document.querySelector("#content > .empty[role=alert]")) showAgain(); // what was refused may be shown now
});

followAddress(PAGES);
