import fs from 'node:fs';
import path from 'node:path';
import type { NodeAPI } from 'node-red';
import should from 'should';
import ts from 'typescript';
import { labelOf } from '../../nodes/lib/node/labels';
import { panelOf, root, shownLabel, types } from './panels';

/** Node-RED shows some 30 characters of a long error. What is to be done, or what it is about, has to be among them. */
const remedies = new Set(
  (
    'Add Allow Ask Begin Call Change Check Choose Confirm Copy Correct Create Delete Deploy Enter Give Have Invite Keep Look Make ' +
    'Name Open Put Remove Repair Restart Run Save Send Set Shorten Slow Stop Switch Take Try Unlock Use Verify Wait Wire Withdraw'
  ).split(' '),
);

const files = fs
  .readdirSync(path.join(root, 'nodes'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.startsWith('simulator'));

/** The texts with which an expression can begin; `…` where that is not written there. */
function beginnings(text: ts.Expression): string[] {
  if (ts.isStringLiteralLike(text)) return [text.text];
  if (ts.isTemplateExpression(text)) return [`${text.head.text}…`];
  if (ts.isBinaryExpression(text)) return beginnings(text.left);
  if (ts.isConditionalExpression(text)) return [...beginnings(text.whenTrue), ...beginnings(text.whenFalse)];
  return [];
}

/** Which argument of a call is the message of an error. */
function messageIn(call: ts.CallExpression | ts.NewExpression): ts.Expression | undefined {
  const name = call.expression.getText();
  if (ts.isNewExpression(call) && name === 'AuthyError') return call.arguments?.[1];
  return name === 'refusedInput' ? call.arguments?.[1] : undefined;
}

function messagesOf(file: string): { place: string; text: string }[] {
  const source = ts.createSourceFile(
    file,
    fs.readFileSync(path.join(root, 'nodes', file), 'utf8'),
    ts.ScriptTarget.Latest,
    true,
  );
  const found: { place: string; text: string }[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
      const message = messageIn(node);
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      for (const text of message === undefined ? [] : beginnings(message)) {
        found.push({ place: `${file}:${line + 1}`, text });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

describe('contract: how errors begin', () => {
  const messages = files.flatMap(messagesOf);

  it('with what to do, or with the property of the message that is wrong', () => {
    should(messages.length).be.above(60);
    const others = messages.filter(({ text }) => {
      const [first = ''] = text.split(' ');
      // What is put in at the beginning is a text of its own: an advice, a place.
      return !remedies.has(first) && !text.startsWith('msg.') && !text.startsWith('…');
    });
    should(others).eql([]);
  });

  it('with the label of a setting, as its panel has it', () => {
    const RED = { settings: { lang: 'en-US' } } as unknown as NodeAPI;
    for (const type of types) {
      const { defaults, credentials } = panelOf(type).definition;
      for (const property of Object.keys({ ...defaults, ...credentials })) {
        // The name's label is Node-RED's own.
        const shown = property === 'name' ? undefined : shownLabel(type, property);
        if (shown === undefined) continue;
        should(`${type} ${labelOf(RED, type, property)}`).equal(`${type} ${shown}`);
      }
    }
  });

  it('with the label in the language of Node-RED', () => {
    const german = { settings: { lang: 'de' } } as unknown as NodeAPI;
    should(labelOf(german, 'authy-user-create', 'phoneNumber')).equal('Telefon');
    should(labelOf(german, 'authy-config', 'tls.servername')).equal('TLS (servername)');
  });
});
