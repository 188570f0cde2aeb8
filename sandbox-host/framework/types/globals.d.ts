// The globals of a sandbox. Use with `"lib": ["es2023"]` and without `dom`: what
// does not stand here or in the language is not there.

declare global {
  interface Console {
    debug(...args: unknown[]): void;
    log(...args: unknown[]): void;
    info(...args: unknown[]): void;
    warn(...args: unknown[]): void;
    error(...args: unknown[]): void;
    dir(...args: unknown[]): void;
    table(...args: unknown[]): void;
    trace(...args: unknown[]): void;
    assert(condition?: unknown, ...args: unknown[]): void;
    count(label?: string): void;
    countReset(label?: string): void;
    time(label?: string): void;
    timeLog(label?: string, ...args: unknown[]): void;
    timeEnd(label?: string): void;
    group(...args: unknown[]): void;
    groupCollapsed(...args: unknown[]): void;
    groupEnd(): void;
  }
  /** One line of the component's log for each call: `hyperty logs`. */
  const console: Console;

  function setTimeout<A extends unknown[]>(callback: (...args: A) => void, ms?: number, ...args: A): number;
  function setInterval<A extends unknown[]>(callback: (...args: A) => void, ms?: number, ...args: A): number;
  function clearTimeout(id?: number): void;
  function clearInterval(id?: number): void;
  function queueMicrotask(callback: () => void): void;
  function structuredClone<T>(value: T): T;
  function atob(text: string): string;
  function btoa(text: string): string;
}

export {};
