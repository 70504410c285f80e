/** Writes docs/reference/openapi.json from the route table; `--check` compares instead. */

import { openApiDocument } from '../packages/server/src/api/openapi.ts';
import { writeOrCheck } from './written.ts';

await writeOrCheck('docs/reference/openapi.json', `${JSON.stringify(await openApiDocument(), null, 2)}\n`);
