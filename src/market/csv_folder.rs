pub struct CsvFolder;
