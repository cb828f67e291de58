/** What `index.d.ts` and `testing.d.ts` declare. */

import { createRequire } from "node:module";
import path from "node:path";
import ts from "typescript-5";

const require = createRequire(import.meta.url);

/** The directory of the package. */
export const PACKAGE = path.dirname(require.resolve("influx-backup/package.json"));

const FILES = ["index.d.ts", "testing.d.ts"].map((name) => path.join(PACKAGE, name));
const program = ts.createProgram(FILES, {
    module: ts.ModuleKind.NodeNext,
    strict: true,
    target: ts.ScriptTarget.ES2022,
    types: [],
});

/** The type checker of these files. */
export const checker = program.getTypeChecker();

/** The symbol of each name that a file exports. */
function exported(file) {
    const symbols = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(file)));
    return new Map(symbols.map((symbol) => [symbol.name, symbol]));
}

/** What `influx-backup` and `influx-backup/testing` export, by name. */
export const [INDEX, TESTING] = FILES.map(exported);

/** What both export. */
export const EXPORTED = new Map([...INDEX, ...TESTING]);

/** Whether a symbol is there at run time. */
export function isValue(symbol) {
    return (symbol.flags & ts.SymbolFlags.Value) !== 0;
}

/** Whether a symbol is a class. `Event`, the base of the classes of events, is a constant of a type that has them all. */
export function isClass(symbol) {
    return (symbol.flags & ts.SymbolFlags.Class) !== 0;
}

/** Whether a symbol is a function. */
export function isFunction(symbol) {
    return (symbol.flags & ts.SymbolFlags.Function) !== 0;
}

/** The type that a name stands for in annotations; `undefined` for what is only a value. */
export function typeNamed(symbol) {
    return (symbol.flags & ts.SymbolFlags.Type) !== 0 ? checker.getDeclaredTypeOfSymbol(symbol) : undefined;
}

/** The types in a union, without `undefined`. */
export function alternatives(type) {
    return (type.isUnion() ? type.types : [type]).filter((it) => (it.flags & ts.TypeFlags.Undefined) === 0);
}

/** The texts that a type consists of, where it has such. */
export function choices(type) {
    return alternatives(type)
        .filter((it) => it.isStringLiteral())
        .map((it) => it.value);
}

/** The members of a type but those of JavaScript: what a class inherits from another one is among them. */
export function members(type) {
    return checker.getPropertiesOfType(type).filter((symbol) => !isOfJavaScript(symbol) && !symbol.name.includes("#"));
}

/** Whether a member is a method. */
export function isMethod(symbol) {
    return (symbol.flags & ts.SymbolFlags.Method) !== 0;
}

/** Whether a member need not be there. */
export function isOptional(symbol) {
    return (symbol.flags & ts.SymbolFlags.Optional) !== 0;
}

/** The comment of a symbol. */
export function comment(symbol) {
    return ts.displayPartsToString(symbol.getDocumentationComment(checker));
}

/** The class that a class extends. */
export function baseOf(symbol) {
    return checker.getBaseTypes(typeNamed(symbol)).map((it) => it.symbol)[0];
}

/** The names of the options that each signature of a function takes. */
export function options(symbol) {
    const signatures = checker.getTypeOfSymbol(symbol).getCallSignatures();
    const last = signatures.map((it) => it.parameters.at(-1)).filter((it) => it?.name === "options");
    return last.map((it) =>
        members(checker.getNonNullableType(checker.getTypeOfSymbol(it))).map((option) => option.name),
    );
}

/** What each signature of a function gives. */
export function returned(symbol) {
    const signatures = checker.getTypeOfSymbol(symbol).getCallSignatures();
    return signatures.map((it) => checker.getReturnTypeOfSignature(it));
}

/** What a promise of a type resolves to. */
export function resolved(type) {
    return checker.getTypeArguments(type)[0];
}

/** Whether a value has a type. Values of classes of the package, which are in `classes` by name, are not looked into. */
export function fits(value, type, classes) {
    const { flags } = type;
    if (flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown)) return true;
    if (type.isUnion()) return type.types.some((it) => fits(value, it, classes));
    if (type.isIntersection()) return type.types.every((it) => fits(value, it, classes));
    if (type.isLiteral()) return value === type.value;
    if (flags & ts.TypeFlags.BooleanLiteral) return String(value) === checker.typeToString(type);
    if (flags & ts.TypeFlags.Null) return value === null;
    if (flags & ts.TypeFlags.Undefined) return value === undefined;
    if (flags & ts.TypeFlags.String) return typeof value === "string";
    if (flags & ts.TypeFlags.Number) return typeof value === "number";
    return fitsObject(value, type, classes);
}

function fitsObject(value, type, classes) {
    if (checker.isTupleType(type)) {
        const types = checker.getTypeArguments(type);
        return (
            Array.isArray(value) &&
            value.length === types.length &&
            value.every((it, at) => fits(it, types[at], classes))
        );
    }
    if (checker.isArrayType(type)) {
        const [ofItems] = checker.getTypeArguments(type);
        return Array.isArray(value) && value.every((it) => fits(it, ofItems, classes));
    }
    if (type.getCallSignatures().length > 0 || type.getConstructSignatures().length > 0)
        return typeof value === "function";
    const { name } = type.symbol;
    if (name === "EventClass") return value === classes.Event;
    if (name in classes) return value instanceof classes[name];
    if (name === "Date") return value instanceof Date;
    if (typeof value !== "object" || value === null) return checker.getPropertiesOfType(type).length === 0;
    const [ofIndex] = checker.getIndexInfosOfType(type);
    const properties = new Map(checker.getPropertiesOfType(type).map((it) => [it.name, it]));
    const isKnown = (key) => ofIndex !== undefined || properties.has(key);
    const typeOf = (key) => (properties.has(key) ? checker.getTypeOfSymbol(properties.get(key)) : ofIndex.type);
    return (
        Object.entries(value).every(([key, it]) => isKnown(key) && fits(it, typeOf(key), classes)) &&
        [...properties.values()].every((it) => isOptional(it) || it.name in value)
    );
}

function isOfJavaScript(symbol) {
    return symbol.declarations?.some((it) => program.isSourceFileDefaultLibrary(it.getSourceFile())) ?? false;
}

/** What has to have a comment, by name: what is exported, and what is in it or in a class that it extends. */
export function* commented() {
    for (const file of FILES) {
        for (const statement of program.getSourceFile(file).statements) {
            const name = nameOf(statement);
            if (ts.isExportDeclaration(statement)) yield [path.basename(file), textAbove(statement)];
            if (statement.modifiers?.some((it) => it.kind === ts.SyntaxKind.ExportKeyword))
                yield [name, textAbove(statement)];
            for (const member of (statement.members ?? []).filter(isPublic)) {
                yield [`${name}.${nameOf(member)}`, textAbove(member)];
            }
        }
    }
}

function nameOf(node) {
    const [variable] = node.declarationList?.declarations ?? [];
    return (variable ?? node).name?.getText() ?? ts.SyntaxKind[node.kind];
}

function isPublic(member) {
    const hidden = [ts.SyntaxKind.PrivateKeyword, ts.SyntaxKind.ProtectedKeyword];
    return (
        !member.modifiers?.some((it) => hidden.includes(it.kind)) &&
        member.name?.kind !== ts.SyntaxKind.PrivateIdentifier
    );
}

function textAbove(node) {
    return ts
        .getJSDocCommentsAndTags(node)
        .map((it) => it.getText())
        .join("\n");
}
