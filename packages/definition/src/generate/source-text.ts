import { pascalCase } from '../describe/pascal-case.ts';

// What comes from a registry was written by anybody, so that none of it may become code.

const reservedTypes = new Set(
  'Any,Array,Bigint,Boolean,Never,Null,Number,Object,String,Symbol,Undefined,Unknown,Void'.split(','),
);
const reservedValues = new Set(
  (
    'arguments,await,break,case,catch,class,const,continue,debugger,default,delete,do,else,enum,eval,export,extends,false,finally,for,' +
    'function,if,implements,import,in,instanceof,interface,let,new,null,package,private,protected,public,return,static,super,switch,' +
    'this,throw,true,try,typeof,undefined,var,void,while,with,yield,bidiStream,clientStream,defineService,serverStream,unary,unchecked'
  ).split(','),
);

/** A string literal, in which nothing reorders what one sees of the source. */
export function quoted(text: string): string {
  if (/^[^'\\\p{C}\u2028\u2029]*$/u.test(text)) return `'${text}'`;
  return JSON.stringify(text).replace(/[\p{C}\u2028\u2029]/gu, (character) =>
    [...Array(character.length).keys()]
      .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

/** The name of a property. */
export function propertyName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) && name !== '__proto__' ? name : quoted(name);
}

/** The text of a comment, on one line. */
export function commentText(text: string): string {
  const line = text
    .replace(/\*\//g, '* /')
    .replace(/[\s\p{C}\u2028\u2029]+/gu, ' ')
    .trim();
  return line.length > 200 ? `${line.slice(0, 200)}...` : line;
}

/** The name of the constant for a service. */
export function constantName(service: string): string {
  const pascal = pascalCase(service);
  const name = pascal.charAt(0).toLowerCase() + pascal.slice(1);
  return name === '' || reservedValues.has(name) ? `${name}Service` : name;
}

/** Names for types, each given once: the second `Request` is `Request2`. */
export class TypeNames {
  readonly #given = new Set<string>();

  give(wanted: string): string {
    const base = pascalCase(wanted) || 'Value';
    const isFree = (name: string) => !this.#given.has(name) && !reservedTypes.has(name);
    let name = base;
    for (let number = 2; !isFree(name); number++) name = `${base}${number}`;
    this.#given.add(name);
    return name;
  }
}

/** Indents all lines but the first. */
export function indented(text: string, by = '  '): string {
  return text.replaceAll('\n', `\n${by}`);
}
