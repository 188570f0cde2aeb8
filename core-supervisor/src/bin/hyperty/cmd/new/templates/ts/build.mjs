// Makes one file of src/{{name}}.ts in the form that the runtime loads, and its
// source map beside it: stack traces then name the lines of src/.
import { build } from "esbuild";

await build({
  entryPoints: ["src/{{name}}.ts"],
  outfile: "{{code}}",
  bundle: true,
  format: "iife",
  globalName: "component",
  target: "es2023",
  sourcemap: true,
  banner: { js: "System.register([], function (export_) { return { execute: function () {" },
  footer: { js: "export_(component); } }; });" },
});
