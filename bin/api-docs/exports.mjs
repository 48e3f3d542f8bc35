// What the library exports: each name with its declaration as a user's editor shows it.
import { join } from "node:path";
import ts from "typescript";

/** The declarations a build would emit, by source file. */
function emitDeclarations(program) {
  const texts = new Map();
  program.emit(
    undefined,
    (_name, text, _mark, _onError, sources) => {
      if (sources?.[0]) texts.set(sources[0].fileName, text);
    },
    undefined,
    true,
  );
  return texts;
}

function namesOf(statement) {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map(({ name }) => name.text);
  }
  return statement.name ? [statement.name.text] : [];
}

const isHidden = (node) =>
  ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword) ||
  ts.getJSDocTags(node).some(({ tagName }) => tagName.text === "internal");

/** Text of a declaration without its own docstring, without what is none of a user's business. */
function signatureOf(statement, file) {
  let text = statement.getText(file);
  const members = statement.members ?? [];
  for (const member of [...members].reverse().filter(isHidden)) {
    const start = member.getFullStart() - statement.getStart(file);
    text = text.slice(0, start) + text.slice(member.getEnd() - statement.getStart(file));
  }
  return text.replace(/^export (declare )?/, "").replace(/;$/, "");
}

function docOf(statement) {
  const block = ts.getJSDocCommentsAndTags(statement).find(ts.isJSDoc);
  const plain = (comment) => (ts.getTextOfJSDocComment(comment) ?? "").replace(/\s+/g, " ").trim();
  const throws = (block?.tags ?? [])
    .filter(({ tagName }) => tagName.text === "throws")
    .map((tag) =>
      plain([
        {
          text: tag
            .getText()
            .replace(/^@throws/, "")
            .replace(/\n\s*\*( ?)/g, " "),
        },
      ]),
    );
  return { text: plain(block?.comment), throws };
}

/** @returns {{name: string, localName: string, kind: "value" | "type" | "both", signatures: string[], text: string, throws: string[], file: string}[]} */
export function readExports(root) {
  const index = join(root, "src/runtime/index.ts");
  const config = ts.getParsedCommandLineOfConfigFile(
    join(root, "tsconfig.types.json"),
    {},
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: ({ messageText }) => {
        throw new Error(String(messageText));
      },
    },
  );
  const program = ts.createProgram([index], config.options);
  const checker = program.getTypeChecker();
  const declarations = emitDeclarations(program);
  const symbols = checker.getExportsOfModule(
    checker.getSymbolAtLocation(program.getSourceFile(index)),
  );
  return symbols.map((exported) => {
    const isAlias = exported.flags & ts.SymbolFlags.Alias;
    const symbol = isAlias ? checker.getAliasedSymbol(exported) : exported;
    const source = symbol.declarations[0].getSourceFile().fileName;
    const file = ts.createSourceFile(
      "d.ts",
      declarations.get(source),
      ts.ScriptTarget.Latest,
      true,
    );
    const found = file.statements.filter((statement) => namesOf(statement).includes(symbol.name));
    const docs = found.map(docOf);
    const [value, type] = [ts.SymbolFlags.Value, ts.SymbolFlags.Type].map((f) => symbol.flags & f);
    return {
      name: exported.name,
      localName: symbol.name,
      kind: value && type ? "both" : value ? "value" : "type",
      signatures: found.map((statement) =>
        signatureOf(statement, file).replace(
          `function ${symbol.name}(`,
          `function ${exported.name}(`,
        ),
      ),
      text: docs
        .map(({ text }) => text)
        .filter(Boolean)
        .join(" "),
      throws: docs.flatMap(({ throws }) => throws),
      file: source.slice(root.length + 1),
    };
  });
}
