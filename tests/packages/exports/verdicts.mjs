// Says of every document what Zod and ajv think of it: documents.json in, verdicts.json out.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import Ajv from "ajv/dist/2020.js";
import formats from "ajv-formats";

const [folder] = process.argv.slice(2);
const { artifactSchemas } = await import(`./built/${folder}/artifacts.js`);
const ajv = new Ajv.default({ strict: false, allErrors: false });
formats.default(ajv);
const compiled = JSON.parse(readFileSync(`generated/${folder}/schemas.json`, "utf8"));
const documents = JSON.parse(readFileSync(`generated/${folder}/documents.json`, "utf8"));
const verdicts = {};
for (const [step, texts] of Object.entries(documents)) {
  const validate = ajv.compile(compiled[step]);
  verdicts[step] = texts.map((text) => {
    const value = JSON.parse(text);
    return [artifactSchemas[step].safeParse(value).success, validate(value)];
  });
}
writeFileSync(`generated/${folder}/verdicts.json`, JSON.stringify(verdicts));
