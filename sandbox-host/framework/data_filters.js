// Who hears of which change (spec services §2.6): `*` any, `x.*` and `x*` what
// begins so, else the field itself.

/**
 * @typedef {object} ChangeEvent
 * @property {'add'|'update'|'remove'} cType
 * @property {'object'|'array'} oType of what has the field
 * @property {string} field its path, joined by dots
 * @property {unknown} data the value, live; of an array's removal how many elements went
 */

export default function (host) {
  const { isContainer } = host.data;

  class Filters {
    constructor() {
      this.callbacks = new Map();
    }

    /** One function for each text of a filter; the last one counts. */
    set(filter, callback) {
      this.callbacks.set(filter, callback);
    }

    /**
     * @param {import("./data_tree.js").Change} change
     * @param {object} tree
     * @param {(callback: Function, event: object) => void} call
     */
    tell({ path, cType, oType, value, count }, tree, call) {
      if (this.callbacks.size === 0) return;
      const field = path.join(".");
      const data = isContainer(value) ? tree.at(path) : value;
      const event = { cType, oType, field, data: data === undefined ? count : data };
      for (const [filter, callback] of [...this.callbacks]) {
        if (matches(filter, field)) call(callback, { ...event });
      }
    }
  }

  host.data.Filters = Filters;
}

function matches(filter, field) {
  return filter.endsWith("*") ? field.startsWith(filter.slice(0, -1)) : filter === field;
}
