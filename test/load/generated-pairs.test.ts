/** 7,500 generated pairs of schemas; 2,500 others are in test/unit. */
import { testGeneratedPairs } from "#test/support/generated-pairs";

testGeneratedPairs([303, 404, 505, 606, 707, 808]);
