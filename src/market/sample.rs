pub struct Sample;
