// Many numbers at once, as they are pasted or come in a file.
/** What could be a number: some digits, and what people put between them. */
const NUMBER = /^\+?[\d\s().\-/\u2010-\u2015\u200e\u202a\u202c]*$/;

const looksLikeNumber = (cell: string): boolean => NUMBER.test(cell) && cell.replace(/\D/g, '').length >= 5;

/** The numbers of a list or of a table: one of each row with other columns, all of a row of numbers alone. */
export function numbersIn(text: string): string[] {
  const numbers: string[] = [];
  for (const [index, line] of text.replace(/^\ufeff/, '').split(/\r\n|\r|\n/).entries()) {
    const cells = line
      .split(/[,;\t]/)
      .map((cell) => cell.trim().replace(/^["']+|["']+$/g, '').trim())
      .filter((cell) => cell !== '');
    const likely = cells.filter(looksLikeNumber);
    if (likely.length > 0) numbers.push(...(likely.length === cells.length ? likely : likely.slice(0, 1)));
    // What is no number stays, to be told that it cannot be read; the head of a table is no line of it.
    else if (cells.length > 0 && (index > 0 || /\d/.test(line))) numbers.push(line.trim());
  }
  return numbers;
}
