// FileReader: the contents of a blob by way of events.

export default function (host) {
  const { EventTarget, ProgressEvent } = host.need("events");
  host.need("blob");

  class FileReader extends EventTarget {
    #state = 0;
    #result = null;
    #error = null;
    // Counts reads, so that an aborted one knows that it is over.
    #turn = 0;

    get readyState() { return this.#state; }
    get result() { return this.#result; }
    get error() { return this.#error; }

    readAsText(blob, label) {
      this.#read(blob, (bytes) => new (host.need("encoding").TextDecoder)(label).decode(bytes));
    }

    readAsArrayBuffer(blob) {
      this.#read(blob, (bytes) => bytes.slice().buffer);
    }

    readAsDataURL(blob) {
      const type = blob?.type || "application/octet-stream";
      this.#read(blob, (bytes) => `data:${type};base64,${host.toBase64(bytes)}`);
    }

    readAsBinaryString(blob) {
      this.#read(blob, (bytes) => atob(host.toBase64(bytes)));
    }

    abort() {
      if (this.#state !== 1) return;
      this.#turn += 1;
      this.#state = 2;
      this.#result = null;
      this.#error = new DOMException("the read was aborted", "AbortError");
      this.#say("abort", 0, 0);
      if (this.#state === 2) this.#say("loadend", 0, 0);
    }

    #read(blob, convert) {
      const bytes = host.blobBytes(blob);
      if (bytes === undefined) throw new TypeError("a FileReader reads a Blob or a File");
      if (this.#state === 1) throw new DOMException("it is reading already", "InvalidStateError");
      this.#state = 1;
      this.#result = null;
      this.#error = null;
      const turn = ++this.#turn;
      host.task(host.whose(), () => turn === this.#turn && this.#finish(bytes, convert));
    }

    #finish(bytes, convert) {
      const turn = this.#turn;
      this.#say("loadstart", 0, bytes.length);
      if (turn !== this.#turn) return;
      let outcome = "load";
      try {
        this.#result = convert(bytes);
      } catch (error) {
        this.#error = new DOMException(String(error), "NotReadableError");
        outcome = "error";
      }
      this.#state = 2;
      if (outcome === "load") this.#say("progress", bytes.length, bytes.length);
      if (turn === this.#turn) this.#say(outcome, bytes.length, bytes.length);
      // A handler may have begun another read.
      if (turn === this.#turn) this.#say("loadend", bytes.length, bytes.length);
    }

    #say(type, loaded, total) {
      this.dispatchEvent(new ProgressEvent(type, { lengthComputable: true, loaded, total }));
    }
  }

  host.attributes(FileReader, ["loadstart", "progress", "load", "abort", "error", "loadend"]);
  host.constants(FileReader, { EMPTY: 0, LOADING: 1, DONE: 2 });
  host.global("FileReader", FileReader);
}
