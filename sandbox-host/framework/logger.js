// `factory.logger`: log lines with a name in front and a level below which they
// are left out. The published framework has none; its libraries write `console`.

const LEVELS = ["trace", "debug", "info", "warn", "error", "silent"];
const WRITTEN_AS = { trace: "debug", debug: "debug", info: "info", warn: "warn", error: "error" };

export default function (host) {
  const named = new Map();

  /**
   * @typedef {object} Logger
   * @property {(...args: any[]) => void} trace
   * @property {(...args: any[]) => void} debug
   * @property {(...args: any[]) => void} log as `debug`
   * @property {(...args: any[]) => void} info
   * @property {(...args: any[]) => void} warn
   * @property {(...args: any[]) => void} error
   * @property {(level: "trace"|"debug"|"info"|"warn"|"error"|"silent") => void} setLevel
   * @property {() => string} getLevel
   * @property {(name: string) => Logger} getLogger the same logger for the same name
   */

  /** @returns {Logger} */
  function make(prefix) {
    let least = 0;
    const logger = {
      setLevel(level) {
        const at = LEVELS.indexOf(String(level).toLowerCase());
        if (at < 0) throw new TypeError(`no log level \`${level}\`; there are ${LEVELS.join(", ")}`);
        least = at;
      },
      getLevel: () => LEVELS[least],
      getLogger,
    };
    LEVELS.slice(0, -1).forEach((level, at) => {
      logger[level] = (...args) => {
        if (at >= least) host.line(WRITTEN_AS[level], [...prefix, ...args]);
      };
    });
    logger.log = logger.debug;
    return logger;
  }

  function getLogger(name) {
    if (!named.has(name)) named.set(name, make([`[${name}]`]));
    return named.get(name);
  }

  host.logger = make([]);
}
