WITH "of accounts" AS (
  WITH "people" AS (
    SELECT
      "leads"."account__folded",
      "leads"."lead"
    FROM "leads"
  ), "members" AS (
    SELECT
      "people"."lead",
      CASE
        WHEN NULLIF(TRIM("people"."account__folded", ' 	'), '') IS NULL
        THEN 'lead ' || "people"."lead"
        ELSE 'account ' || NULLIF(TRIM("people"."account__folded", ' 	'), '')
      END AS "account"
    FROM "people"
  ), "people who may be released" AS (
    SELECT
      "leads"."lead",
      "leads"."rescore_quarantine_released"
    FROM "leads"
  ), "released" AS (
    SELECT
      "people who may be released"."lead"
    FROM "people who may be released"
    WHERE
      "people who may be released"."rescore_quarantine_released"
  ), "watched" AS (
    SELECT
      "activities"."activity_id",
      "activities"."asset",
      "activities"."asset__folded",
      "activities"."asset__words",
      "activities"."channel",
      "activities"."channel__folded",
      "activities"."channel__words",
      "activities"."known_at",
      "activities"."lead",
      "activities"."occurred_at",
      "activities"."source",
      "activities"."type",
      "activities"."value"
    FROM "activities"
    WHERE
      "activities"."type" = 'visit'
      AND "activities"."occurred_at" <= CAST('2026-11-01 12:00:00' AS TIMESTAMP)
  ), "matched" AS (
    SELECT
      "watched".*,
      COALESCE(
        "watched"."type" = 'visit'
        AND NOT "watched"."lead" IN (
          SELECT
            "lead"
          FROM "released"
        ),
        FALSE
      ) AS "quarantine: often matches",
      COUNT(
        CASE
          WHEN "watched"."type" = 'visit'
          AND NOT "watched"."lead" IN (
            SELECT
              "lead"
            FROM "released"
          )
          THEN 1
        END
      ) OVER (
        PARTITION BY "watched"."lead"
        ORDER BY "watched"."occurred_at"
        RANGE BETWEEN CURRENT ROW AND INTERVAL '86400' SECONDS FOLLOWING
      ) AS "quarantine: often count"
    FROM "watched"
  ), "judged" AS (
    SELECT
      "matched".*,
      "matched"."quarantine: often matches"
      AND MAX("matched"."quarantine: often count") OVER (
        PARTITION BY "matched"."lead"
        ORDER BY "matched"."occurred_at"
        RANGE BETWEEN INTERVAL '86400' SECONDS PRECEDING AND CURRENT ROW
      ) >= 4 AS "quarantine: often takes"
    FROM "matched"
  ), "left" AS (
    SELECT
      "activities"."activity_id",
      "activities"."asset",
      "activities"."asset__folded",
      "activities"."asset__words",
      "activities"."channel",
      "activities"."channel__folded",
      "activities"."channel__words",
      "activities"."known_at",
      "activities"."lead",
      "activities"."occurred_at",
      "activities"."source",
      "activities"."type",
      "activities"."value"
    FROM "activities"
    WHERE
      NOT "activities"."type" = 'visit'
    UNION ALL
    SELECT
      "judged"."activity_id",
      "judged"."asset",
      "judged"."asset__folded",
      "judged"."asset__words",
      "judged"."channel",
      "judged"."channel__folded",
      "judged"."channel__words",
      "judged"."known_at",
      "judged"."lead",
      "judged"."occurred_at",
      "judged"."source",
      "judged"."type",
      "judged"."value"
    FROM "judged"
    WHERE
      NOT "judged"."quarantine: often takes"
  ), "together" AS (
    SELECT
      "members"."account" AS "lead",
      "left"."lead" AS "person of the account",
      "left"."source",
      "left"."activity_id",
      "left"."type",
      "left"."occurred_at",
      "left"."known_at",
      "left"."asset",
      "left"."channel",
      "left"."value",
      "left"."asset__folded",
      "left"."asset__words",
      "left"."channel__folded",
      "left"."channel__words"
    FROM "left"
    JOIN "members"
      ON "members"."lead" = "left"."lead"
  ), "aged" AS (
    SELECT
      "together"."lead",
      "together"."type",
      CAST('2026-11-01' AS DATE) - CAST("together"."occurred_at" AS DATE) AS "age in days"
    FROM "together"
    WHERE
      "together"."occurred_at" <= CAST('2026-11-01 12:00:00' AS TIMESTAMP)
  ), "per_lead" AS (
    SELECT
      "aged"."lead",
      COUNT(CASE WHEN "aged"."type" IN ('visit', 'call') THEN 1 END) AS "together"
    FROM "aged"
    GROUP BY
      "aged"."lead"
  )
  SELECT
    "members"."lead",
    CAST(COALESCE("per_lead"."together", 0) * 5000 AS BIGINT) AS "together"
  FROM "members"
  LEFT JOIN "per_lead"
    ON "per_lead"."lead" = "members"."account"
), "people who may be released" AS (
  SELECT
    "leads"."lead",
    "leads"."rescore_quarantine_released"
  FROM "leads"
), "released" AS (
  SELECT
    "people who may be released"."lead"
  FROM "people who may be released"
  WHERE
    "people who may be released"."rescore_quarantine_released"
), "watched" AS (
  SELECT
    "activities"."activity_id",
    "activities"."asset",
    "activities"."asset__folded",
    "activities"."asset__words",
    "activities"."channel",
    "activities"."channel__folded",
    "activities"."channel__words",
    "activities"."known_at",
    "activities"."lead",
    "activities"."occurred_at",
    "activities"."source",
    "activities"."type",
    "activities"."value"
  FROM "activities"
  WHERE
    "activities"."type" = 'visit'
    AND "activities"."occurred_at" <= CAST('2026-11-01 12:00:00' AS TIMESTAMP)
), "matched" AS (
  SELECT
    "watched".*,
    COALESCE(
      "watched"."type" = 'visit'
      AND NOT "watched"."lead" IN (
        SELECT
          "lead"
        FROM "released"
      ),
      FALSE
    ) AS "quarantine: often matches",
    COUNT(
      CASE
        WHEN "watched"."type" = 'visit'
        AND NOT "watched"."lead" IN (
          SELECT
            "lead"
          FROM "released"
        )
        THEN 1
      END
    ) OVER (
      PARTITION BY "watched"."lead"
      ORDER BY "watched"."occurred_at"
      RANGE BETWEEN CURRENT ROW AND INTERVAL '86400' SECONDS FOLLOWING
    ) AS "quarantine: often count"
  FROM "watched"
), "judged" AS (
  SELECT
    "matched".*,
    "matched"."quarantine: often matches"
    AND MAX("matched"."quarantine: often count") OVER (
      PARTITION BY "matched"."lead"
      ORDER BY "matched"."occurred_at"
      RANGE BETWEEN INTERVAL '86400' SECONDS PRECEDING AND CURRENT ROW
    ) >= 4 AS "quarantine: often takes"
  FROM "matched"
), "left" AS (
  SELECT
    "activities"."activity_id",
    "activities"."asset",
    "activities"."asset__folded",
    "activities"."asset__words",
    "activities"."channel",
    "activities"."channel__folded",
    "activities"."channel__words",
    "activities"."known_at",
    "activities"."lead",
    "activities"."occurred_at",
    "activities"."source",
    "activities"."type",
    "activities"."value"
  FROM "activities"
  WHERE
    NOT "activities"."type" = 'visit'
  UNION ALL
  SELECT
    "judged"."activity_id",
    "judged"."asset",
    "judged"."asset__folded",
    "judged"."asset__words",
    "judged"."channel",
    "judged"."channel__folded",
    "judged"."channel__words",
    "judged"."known_at",
    "judged"."lead",
    "judged"."occurred_at",
    "judged"."source",
    "judged"."type",
    "judged"."value"
  FROM "judged"
  WHERE
    NOT "judged"."quarantine: often takes"
), "aged" AS (
  SELECT
    "left"."lead",
    "left"."type",
    CAST('2026-11-01' AS DATE) - CAST("left"."occurred_at" AS DATE) AS "age in days"
  FROM "left"
  WHERE
    "left"."occurred_at" <= CAST('2026-11-01 12:00:00' AS TIMESTAMP)
), "per_lead" AS (
  SELECT
    "aged"."lead",
    COUNT(CASE WHEN "aged"."type" IN ('visit', 'call') THEN 1 END) AS "rule"
  FROM "aged"
  GROUP BY
    "aged"."lead"
), "profiles" AS (
  SELECT
    "leads"."lead"
  FROM "leads"
), "ruled" AS (
  SELECT
    "profiles"."lead",
    CAST(COALESCE("per_lead"."rule", 0) * 5000 AS BIGINT) AS "rule",
    CAST(COALESCE("of accounts"."together", 0) AS BIGINT) AS "together",
    COALESCE(TRUE, FALSE) AS "in audience"
  FROM "profiles"
  LEFT JOIN "per_lead"
    ON "per_lead"."lead" = "profiles"."lead"
  LEFT JOIN "of accounts"
    ON "of accounts"."lead" = "profiles"."lead"
), "summed" AS (
  SELECT
    *,
    "rule" + "together" AS "engagement"
  FROM "ruled"
), "totalled" AS (
  SELECT
    *,
    SIGN("engagement") * (
      (
        ABS("engagement") + 500
      ) // 1000
    ) AS "total"
  FROM "summed"
)
SELECT
  "lead",
  CAST(CASE WHEN "in audience" THEN "total" END AS BIGINT) AS "score",
  CAST(CASE WHEN "in audience" THEN NULL END AS TEXT) AS "band",
  CAST(NULL AS TEXT) AS "grade",
  CAST(NULL AS TIMESTAMP) AS "restarted_at",
  CAST(CASE
    WHEN "in audience"
    THEN SIGN("engagement") * (
      (
        ABS("engagement") + 500
      ) // 1000
    )
  END AS BIGINT) AS "engagement",
  "rule",
  "together"
FROM "totalled"
