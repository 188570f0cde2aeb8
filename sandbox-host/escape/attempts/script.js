// What a script tries. Each function returns what it got hold of, or throws; `undefined` is
// nothing. The names of the cases are read off this file: keep `"ID": { title: "…",` on a line.
System.register([], function (_export) {
  var config;

  function evaluate(source) { return (0, eval)(source); }
  function construct(source) { return (function () {}).constructor(source)(); }

  // Only a refusal counts: what was dialled and is not there was dialled.
  function reach(hosts, how) {
    return hosts.reduce(function (before, host) {
      return before.then(function () {
        return fetch("http://" + host + "/", how).then(
          function () { throw "reached " + host; },
          function (error) { if (!/was refused: /.test(error.message)) throw host + ": " + error.message; });
      });
    }, Promise.resolve()).then(
      function () { throw new Error("each of " + hosts.length + " was refused"); },
      function (got) { return got; });
  }

  var attempts = {
    "FS-01s": { title: "import a file", act: function () { return evaluate("import('/etc/passwd')"); } },
    "FS-12s": { title: "import the engine's file module", act: function () { return evaluate("import('qjs:std')"); } },
    "FS-13s": { title: "load a script from a path", act: function () { return construct("return load('/etc/passwd')"); } },
    "FS-15s": { title: "require a module", act: function () { return evaluate("require('fs')"); } },
    "PR-01s": { title: "find the process", act: function () { return construct("return this.process"); } },
    "PR-06s": { title: "import the engine's system module", act: function () { return evaluate("import('qjs:os')"); } },
    "PR-10s": { title: "start a worker", act: function () { return new Worker("/etc/passwd"); } },
    "KR-07s": { title: "find what executes programs", act: function () {
      var all = construct("return this");
      return all.std || all.os || all.Deno || all.Bun || all.child_process;
    } },
    "KR-08s": { title: "compile WebAssembly", act: function () { return new WebAssembly.Module(new Uint8Array(8)); } },
    "FD-08s": { title: "read the environment", act: function () {
      return construct("return this.process && this.process.env || this.std && this.std.getenviron()");
    } },
    "FD-09s": { title: "read arguments", act: function () { return construct("return this.scriptArgs"); } },
    "NW-01s": { title: "open a WebSocket", act: function () {
      return new Promise(function (resolve, reject) {
        var socket = new WebSocket("ws://127.0.0.1:" + config.tcp);
        socket.onopen = function () { resolve("connected"); };
        socket.onerror = function () { reject(new Error("refused")); };
        socket.onclose = function () { reject(new Error("closed")); };
      });
    } },
    "NW-04s": { title: "fetch", act: function () { return fetch("http://127.0.0.1:" + config.tcp + "/"); } },
    "NW-06s": { title: "fetch a file", act: function () { return fetch("file:///etc/passwd"); } },
    "NW-12s": { title: "ask by XMLHttpRequest", act: function () {
      return new Promise(function (resolve, reject) {
        var request = new XMLHttpRequest();
        request.onload = function () { resolve(request.responseText); };
        request.onerror = function () { reject(new Error("refused")); };
        request.open("GET", "http://127.0.0.1:" + config.tcp + "/");
        request.send();
      });
    } },
    "NW-10s": { title: "reach this machine by a grant for every public host", act: function () {
      return reach(["127.0.0.1", "127.9.9.9", "127.1", "0x7f000001", "2130706433", "localhost", "LOCALHOST.", "0.0.0.0", "[::1]", "[::]",
        "[::ffff:127.0.0.1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]"].map(function (host) { return host + ":" + config.tcp; }));
    } },
    "NW-10t": { title: "reach what only this machine's networks have", act: function () {
      return reach(["169.254.169.254", "[fd00:ec2::254]", "10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "[fe80::1]", "[fc00::1]",
        "224.0.0.1", "255.255.255.255", "[ff02::1]", "192.0.2.1"]);
    } },
    "NW-12t": { title: "name another host in a header", act: function () {
      var headers = { Host: "metadata.internal", Authorization: "Bearer x" };
      return reach(["127.0.0.1:" + config.tcp, "localhost:" + config.tcp], { headers: headers, redirect: "follow" });
    } },
    "RS-01s": { title: "take memory without end", act: function () {
      var kept = [];
      for (;;) kept.push(new Uint8Array(1 << 20).fill(1));
    } },
    "RS-02s": { title: "a string of a gibibyte", act: function () { return "x".repeat(1 << 30).length; } },
    "RS-03s": { title: "share memory", act: function () {
      return Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    } },
    "RS-04s": { title: "call itself without end", act: function again() { return again() + 1; } },
    "RS-05s": { title: "never come back", act: function () { for (;;); } },
    "RS-06s": { title: "a regular expression that backtracks without end", act: function () {
      return /^(a+)+$/.test("a".repeat(40) + "b") || undefined;
    } },
    "RS-07s": { title: "a number without end", act: function () {
      var number = 3n;
      for (;;) number = number * number;
    } },
    "RS-11s": { title: "a million timers", act: function () {
      for (var made = 0; made < 1000000; made++) setTimeout(function () {}, 100000);
      return "a million timers";
    } },
    "RS-12s": { title: "a million promises that never end", act: function () {
      var kept = [];
      for (var made = 0; made < 1e7; made++) kept.push(new Promise(function () {}));
      return "ten million promises";
    } },
    "BU-01s": { title: "speak in another's name", act: function (url, bus) {
      bus.postMessage({ id: 9, type: "read", from: config.witness, to: config.witness, body: {} });
    } },
    "BU-06s": { title: "listen to another's messages", act: function (url, bus) {
      bus.addListener(config.witness, function (message) { console.log("heard " + JSON.stringify(message)); });
    } },
    "BU-16s": { title: "a message that is nothing of the kind", act: function (url, bus) {
      var cycle = {};
      cycle.cycle = cycle;
      [null, 7, "text", [], { type: {} }, { type: "read", to: 7 }, { body: cycle, type: "read", to: url, from: url }].forEach(
        function (message) { try { bus.postMessage(message); } catch (error) { console.log("refused " + error.message); } });
    } }
  };

  return {
    execute: function () {
      function Script() {}
      Script.prototype._start = function (url, bus, given) {
        config = given;
        var attempt = attempts[config.attempt];
        bus.addListener(url, function () {});
        console.log("twin 0");
        console.log("begin");
        // A turn of its own, so that the component has started whatever becomes of it.
        setTimeout(function () {
          new Promise(function (resolve) { resolve(attempt.act(url, bus)); }).then(
            function (got) {
              if (got === undefined) console.log("end 2 nothing there");
              else { console.log("got " + String(got).slice(0, 80)); console.log("end 0"); }
            },
            function (error) {
              console.log("refused " + String(error && error.message || error).slice(0, 200));
              console.log("end 1");
            });
        }, 0);
      };
      _export({ __esModule: true, default: Script });
    }
  };
});
