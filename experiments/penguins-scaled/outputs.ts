export { dump_table, load_table } from '../../libs/penguins/table.ts';
