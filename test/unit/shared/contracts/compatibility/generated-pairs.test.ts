/** 2,500 generated pairs of schemas; the other 7,500 of the 10,000 are in test/load. */
import { testGeneratedPairs } from "#test/support/generated-pairs";

testGeneratedPairs([101, 202]);
