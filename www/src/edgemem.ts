// The npm package as this repository builds it. Its two files lie beside the page, and are loaded by who needs them.
export * from "../../npm/dist/entry/slim.js";
export { chromeModel, type ChromeLanguageModel } from "../../npm/dist/models/index.js";
