-- How texts become what the tables hold.

-- 32 hexadecimal digits as the 26 letters of a public id (onefold.model.ids): 5 bits a letter, the most significant first.
CREATE MACRO internal.letters(digits) AS translate(
    lower(
        to_base(('0x' || digits[1:7])::BIGINT, 32, 6) || to_base(('0x' || digits[8:17])::BIGINT, 32, 8)
        || to_base(('0x' || digits[18:27])::BIGINT, 32, 8) || to_base(('0x' || digits[28:32])::BIGINT, 32, 4)
    ),
    'ijklmnopqrstuv',
    'jkmnpqrstvwxyz'
);

-- A plain decimal number, rounded half-even to nine decimals; NULL when it does not fit.
CREATE MACRO internal.amount(said) AS CASE
    WHEN length(split_part(said, '.', 2)) <= 9 THEN TRY_CAST(said AS DECIMAL(38, 9))
    ELSE round_even(TRY_CAST(said AS DECIMAL(38, 18)), 9)
END;

-- The number that a JSON text is; NULL when it is none.
CREATE MACRO internal.json_number(json) AS CASE WHEN json[1] IN (
    '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'
) THEN TRY_CAST(json AS DOUBLE) END;
