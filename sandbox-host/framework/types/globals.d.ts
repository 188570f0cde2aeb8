// The globals of a sandbox. What browsers have as well is declared by the library
// `dom`, which knows much more: `SandboxGlobal` names what is really there.

/// <reference lib="dom" />

import type { Factory } from "./index";

/** What a sandbox has of the names in the library `dom`. */
export type SandboxGlobal =
  | "AbortController" | "AbortSignal" | "Blob" | "CloseEvent" | "CryptoKey" | "CustomEvent" | "ErrorEvent" | "Event"
  | "EventSource" | "EventTarget" | "File" | "FileReader" | "FormData" | "Headers" | "MediaStream"
  | "MediaStreamTrack" | "MessageEvent" | "ProgressEvent" | "RTCDataChannel" | "RTCIceCandidate"
  | "RTCPeerConnection" | "RTCSessionDescription" | "ReadableStream" | "ReadableStreamDefaultReader" | "Request" | "Response" | "Storage" | "TextDecoder"
  | "TextEncoder" | "URL" | "URLSearchParams" | "WebSocket" | "XMLHttpRequest" | "addEventListener"
  | "atob" | "btoa" | "clearInterval" | "clearTimeout" | "console" | "crypto" | "dispatchEvent"
  | "document" | "fetch" | "localStorage" | "location" | "navigator" | "performance" | "queueMicrotask"
  | "removeEventListener" | "self" | "sessionStorage" | "setInterval" | "setTimeout" | "structuredClone"
  | "window";

declare global {
  /** The published forms of a component call it. */
  const System: {
    register(
      dependencies: string[],
      declare: (export_: (name: string | object, value?: unknown) => unknown, context: object) => {
        execute?(): void;
      },
    ): void;
  };
  /** The entrance that published applications look for. */
  const rethink: {
    requireHyperty: Factory["requireHyperty"];
    /** Gives back what a hyperty in another sandbox has lent. */
    release(remote: unknown): void;
    install(): Promise<unknown>;
  };
}
