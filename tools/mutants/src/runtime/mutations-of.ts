import ts from 'typescript';
import type { Mutation } from './mutation.ts';

const { SyntaxKind } = ts;

/** What takes the place of an operator. */
const operators = new Map<ts.SyntaxKind, readonly [operator: string, to: string]>([
  [SyntaxKind.LessThanToken, ['moves the boundary', '<=']],
  [SyntaxKind.LessThanEqualsToken, ['moves the boundary', '<']],
  [SyntaxKind.GreaterThanToken, ['moves the boundary', '>=']],
  [SyntaxKind.GreaterThanEqualsToken, ['moves the boundary', '>']],
  [SyntaxKind.EqualsEqualsEqualsToken, ['negates', '!==']],
  [SyntaxKind.ExclamationEqualsEqualsToken, ['negates', '===']],
  [SyntaxKind.AmpersandAmpersandToken, ['swaps', '||']],
  [SyntaxKind.BarBarToken, ['swaps', '&&']],
  [SyntaxKind.PlusToken, ['swaps', '-']],
  [SyntaxKind.MinusToken, ['swaps', '+']],
  [SyntaxKind.AsteriskToken, ['swaps', '/']],
  [SyntaxKind.SlashToken, ['swaps', '*']],
]);

/**
 * Every small change of a source file that we know to make, in the order of the text. Words for people, types and
 * imports stay as they are.
 */
export function mutationsOf(file: string, source: string): readonly Mutation[] {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true);
  const found: Mutation[] = [];
  const change = (node: ts.Node, operator: string, to: string) => {
    const start = node.getStart(tree);
    const line = tree.getLineAndCharacterOfPosition(start).line + 1;
    found.push({ file, operator, line, start, end: node.end, from: source.slice(start, node.end), to });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return;
    if (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return;
    if (ts.isBinaryExpression(node)) {
      const known = operators.get(node.operatorToken.kind);
      const isText = isTextual(node.left) || isTextual(node.right);
      if (known !== undefined && !isText) change(node.operatorToken, ...known);
    }
    if (ts.isIfStatement(node) || ts.isWhileStatement(node)) {
      const text = node.expression.getText(tree);
      if (!ts.isBinaryExpression(node.expression)) change(node.expression, 'negates', `!(${text})`);
    }
    if (ts.isNumericLiteral(node)) {
      const value = Number(node.text.replaceAll('_', ''));
      change(node, 'changes a number', value === 0 ? '1' : '0');
      if (value > 1) change(node, 'changes a number', `${value * 10}`);
    }
    if (node.kind === SyntaxKind.TrueKeyword) change(node, 'negates', 'false');
    if (node.kind === SyntaxKind.FalseKeyword) change(node, 'negates', 'true');
    if (ts.isExpressionStatement(node) && !isSuper(node)) change(node, 'removes', ';');
    if (ts.isReturnStatement(node) && node.expression !== undefined && !isConstant(node.expression))
      change(node, 'returns nothing', 'return undefined as never;');
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

function isTextual(node: ts.Expression): boolean {
  return ts.isStringLiteral(node) || ts.isTemplateExpression(node) || ts.isNoSubstitutionTemplateLiteral(node);
}

function isSuper({ expression }: ts.ExpressionStatement): boolean {
  return ts.isCallExpression(expression) && expression.expression.kind === SyntaxKind.SuperKeyword;
}

/** What other operators change, or nothing does. */
function isConstant(expression: ts.Expression): boolean {
  return (
    expression.kind === SyntaxKind.TrueKeyword ||
    expression.kind === SyntaxKind.FalseKeyword ||
    (ts.isIdentifier(expression) && expression.text === 'undefined')
  );
}
