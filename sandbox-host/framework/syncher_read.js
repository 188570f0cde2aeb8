// Reads whose answer comes in parts, because the children would not fit into one
// (spec services §1.10).

export default function (host) {
  /** Puts the parts of an answer together. */
  host.data.collected = () => {
    let whole;
    const children = {};

    const take = (value) => {
      if (value === null || typeof value !== "object") return;
      const { responses, childrenObjects, ...rest } = value;
      Object.assign(children, childrenObjects);
      if (whole === undefined) whole = rest;
      // The first part is the object; the others are nothing but children.
      else if (childrenObjects === undefined) Object.assign(children, rest);
      return responses;
    };

    return {
      /** @param {object} body of a provisional answer */
      add: ({ value }) => void take(value),
      /** @param {object} body of the final answer @returns {object | undefined} the object */
      end: ({ value }) => {
        take(value);
        return whole && { ...whole, childrenObjects: children };
      },
    };
  };
}
