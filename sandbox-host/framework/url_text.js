// The characters of a URL: what is escaped where, and which hosts there are.

const SETS = {
  control: "",
  fragment: " \"<>`",
  query: " \"#<>",
  specialQuery: " \"#<>'",
  path: " \"#<>?`{}^",
  user: " \"#<>?`{}/:;=@[\\]^|",
};

export default function (host) {
  const escape = (text, set) => {
    let out = "";
    for (const character of text) {
      const isPrintable = character >= " " && character < "\x7f";
      out += isPrintable && !SETS[set].includes(character) ? character : escaped(character);
    }
    return out;
  };
  const escaped = (character) => {
    let out = "";
    for (const byte of new Uint8Array(host.encode(character.toWellFormed()))) {
      out += `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    }
    return out;
  };
  const unescaped = (text) => {
    if (!text.includes("%")) return text;
    const bytes = [];
    const raw = new Uint8Array(host.encode(text.toWellFormed()));
    for (let at = 0; at < raw.length; at += 1) {
      const digits = String.fromCharCode(raw[at + 1] ?? 0, raw[at + 2] ?? 0);
      const isEscape = raw[at] === 0x25 && /^[0-9a-fA-F]{2}$/.test(digits);
      bytes.push(isEscape ? parseInt(digits, 16) : raw[at]);
      if (isEscape) at += 2;
    }
    return host.utf8(new Uint8Array(bytes), false);
  };

  // ---- hosts ------------------------------------------------------------

  function specialHost(text) {
    if (text.startsWith("[")) return ipv6(text);
    const name = unescaped(text).toLowerCase();
    if (name === "" || /[\0-\x20"#%/:<>?@[\\\]^`{|}\x7f]/.test(name)) return undefined;
    if (/[^\0-\x7f]/.test(name)) return undefined;
    return /(^|\.)(\d+|0x[0-9a-f]*)\.?$/.test(name) ? ipv4(name) : name;
  }

  function ipv4(name) {
    const parts = name.replace(/\.$/, "").split(".");
    if (parts.length > 4) return undefined;
    const numbers = parts.map(ipv4Number);
    if (numbers.some((number) => number === undefined)) return undefined;
    const last = numbers.pop();
    if (numbers.some((number) => number > 255) || last >= 256 ** (4 - numbers.length)) return undefined;
    let address = last;
    numbers.forEach((number, index) => { address += number * 256 ** (3 - index); });
    return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
  }

  function ipv4Number(part) {
    if (/^0x[0-9a-f]*$/.test(part)) return part === "0x" ? 0 : parseInt(part, 16);
    if (/^0[0-7]+$/.test(part)) return parseInt(part, 8);
    return /^(0|[1-9]\d*)$/.test(part) ? Number(part) : undefined;
  }

  function ipv6(text) {
    let inner = /^\[([0-9a-fA-F:.]+)\]$/.exec(text)?.[1];
    if (inner === undefined) return undefined;
    const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(inner);
    if (dotted !== null) {
      const bytes = dotted[2].split(".").map(Number);
      if (bytes.some((byte) => byte > 255)) return undefined;
      const pair = (at) => ((bytes[at] << 8) | bytes[at + 1]).toString(16);
      inner = `${dotted[1]}${pair(0)}:${pair(2)}`;
    }
    const halves = inner.split("::");
    if (halves.length > 2) return undefined;
    const pieces = halves.map((half) => (half === "" ? [] : half.split(":")));
    const missing = 8 - pieces.flat().length;
    if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
    const all = halves.length === 1 ? pieces[0] : [...pieces[0], ...Array(missing).fill("0"), ...pieces[1]];
    if (!all.every((piece) => /^[0-9a-fA-F]{1,4}$/.test(piece))) return undefined;
    return `[${compressed(all.map((piece) => parseInt(piece, 16).toString(16)))}]`;
  }

  function compressed(pieces) {
    let best = { at: -1, length: 1 };
    for (let at = 0; at < 8; at += 1) {
      let length = 0;
      while (at + length < 8 && pieces[at + length] === "0") length += 1;
      if (length > best.length) best = { at, length };
    }
    if (best.at < 0) return pieces.join(":");
    return `${pieces.slice(0, best.at).join(":")}::${pieces.slice(best.at + best.length).join(":")}`;
  }

  host.urlText = { escape, escaped, unescaped, specialHost, ipv6 };
}
