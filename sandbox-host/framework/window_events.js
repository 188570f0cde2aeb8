// The window as a target of events. Nothing happens to it: there is no page.

export default function (host) {
  const { EventTarget } = host.need("events");
  const target = new EventTarget();
  for (const name of ["addEventListener", "removeEventListener", "dispatchEvent"]) {
    host.global(name, (...args) => target[name](...args));
  }
}
