-- id -> record, empty if there is none
return record(ARGV[1])
