// Reads whose answer comes in parts, because the children would not fit into one
// (spec services §1.10).

/** Characters of children in one part. */
const PART_CHARACTERS = 50000;

export default function (host) {
  /**
   * The parts of an answer: the object, then nothing but children, each with the
   * number of all parts; or one part with all of it.
   *
   * @param {object} value
   * @param {Object<string, object>} children
   * @returns {object[]}
   */
  host.data.parted = (value, children) => {
    const maps = divided(children);
    if (maps.length < 2) return [{ ...value, childrenObjects: maps[0] ?? {} }];
    return [value, ...maps].map((part) => ({ ...part, responses: maps.length + 1 }));
  };

  /** Puts the parts of an answer together. */
  host.data.collected = () => {
    let whole;
    const children = {};

    const take = (value) => {
      if (value === null || typeof value !== "object") return;
      const { responses, childrenObjects, ...rest } = value;
      // A published reporter sends the object first and then nothing but children.
      if (childrenObjects === undefined && responses !== undefined && whole !== undefined) {
        return void Object.assign(children, rest);
      }
      whole = { ...whole, ...rest };
      Object.assign(children, childrenObjects);
    };

    return {
      /** @param {object} body of a provisional answer */
      add: ({ value }) => take(value),
      /** @param {object} body of the final answer @returns {object | undefined} the object */
      end: ({ value }) => {
        take(value);
        return whole && { ...whole, childrenObjects: children };
      },
    };
  };
}

// Maps of children, each with so many characters at most, or one child.
function divided(children) {
  const parts = [];
  let room = 0;
  for (const [id, child] of Object.entries(children)) {
    const length = JSON.stringify(child).length + id.length;
    if (length > room) {
      parts.push({});
      room = PART_CHARACTERS;
    }
    parts.at(-1)[id] = child;
    room -= length;
  }
  return parts;
}
