-- The thirty tables of the dashboard.
--
-- Every table: `id` names a row, the UNIQUE constraint `<table>_key` names what the row
-- is about (its time column first, so that the same index serves date ranges), and
-- `created_at`/`updated_at` say when it was written, in UTC.  Column names, and the order
-- of those that older files had, never change; new columns go to the end.
--
-- Days are text `YYYY-MM-DD`, instants are UTC text `YYYY-MM-DD HH:MM:SS` with or without
-- six digits of a second, so that comparing text compares time.  The CHECKs look at the
-- shape only; whether the day exists is checked by the library that writes it.
--
-- A CHECK states what is always true of a figure, never a vocabulary and never what is
-- merely usual.  This script holds no transaction and no PRAGMA: whoever runs it does
-- that (see database_schema.sql for a script that can be run by hand).

-- The headline figures of one day.
CREATE TABLE overview_kpis (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    record_date DATE NOT NULL
        CONSTRAINT overview_kpis_record_date_check
        CHECK (record_date GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    total_customers INTEGER
        CONSTRAINT overview_kpis_total_customers_check
        CHECK (total_customers >= 0),
    total_customers_change REAL,
    conversion_rate REAL
        CONSTRAINT overview_kpis_conversion_rate_check
        CHECK (conversion_rate BETWEEN 0 AND 100),
    conversion_rate_change REAL,
    ai_interactions INTEGER
        CONSTRAINT overview_kpis_ai_interactions_check
        CHECK (ai_interactions >= 0),
    ai_interactions_change REAL,
    revenue_impact REAL,
    revenue_impact_change REAL,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT overview_kpis_created_at_check
        CHECK (
            created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT overview_kpis_updated_at_check
        CHECK (
            updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    CONSTRAINT overview_kpis_key UNIQUE (record_date)
);

-- One stage of the funnel on one day; the stages of a day make the funnel.
CREATE TABLE conversion_funnel (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    record_date DATE NOT NULL
        CONSTRAINT conversion_funnel_record_date_check
        CHECK (record_date GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    stage_name TEXT NOT NULL,
    stage_order INTEGER NOT NULL
        CONSTRAINT conversion_funnel_stage_order_check
        CHECK (stage_order >= 0),
    count INTEGER NOT NULL
        CONSTRAINT conversion_funnel_count_check
        CHECK (count >= 0),
    percentage REAL
        CONSTRAINT conversion_funnel_percentage_check
        CHECK (percentage BETWEEN 0 AND 100),
    dropoff_rate REAL,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT conversion_funnel_created_at_check
        CHECK (
            created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT conversion_funnel_updated_at_check
        CHECK (
            updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    CONSTRAINT conversion_funnel_key UNIQUE (record_date, stage_order)
);

-- How often one kind of AI interaction happened, in the snapshot of one day.
CREATE TABLE interaction_types (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    record_date DATE NOT NULL
        CONSTRAINT interaction_types_record_date_check
        CHECK (record_date GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    interaction_name TEXT NOT NULL,
    count INTEGER NOT NULL
        CONSTRAINT interaction_types_count_check
        CHECK (count >= 0),
    percentage REAL
        CONSTRAINT interaction_types_percentage_check
        CHECK (percentage BETWEEN 0 AND 100),
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT interaction_types_created_at_check
        CHECK (
            created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT interaction_types_updated_at_check
        CHECK (
            updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    CONSTRAINT interaction_types_key UNIQUE (record_date, interaction_name)
);

-- Size and worth of one customer segment, in the snapshot of one day.
-- A lifetime value may be negative (it can cost more to serve than it brings).
CREATE TABLE customer_segments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    record_date DATE NOT NULL
        CONSTRAINT customer_segments_record_date_check
        CHECK (record_date GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    segment_name TEXT NOT NULL,
    segment_size INTEGER NOT NULL
        CONSTRAINT customer_segments_segment_size_check
        CHECK (segment_size >= 0),
    percentage REAL
        CONSTRAINT customer_segments_percentage_check
        CHECK (percentage BETWEEN 0 AND 100),
    avg_lifetime_value REAL,
    avg_order_value REAL
        CONSTRAINT customer_segments_avg_order_value_check
        CHECK (avg_order_value >= 0),
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT customer_segments_created_at_check
        CHECK (
            created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT customer_segments_updated_at_check
        CHECK (
            updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    CONSTRAINT customer_segments_key UNIQUE (record_date, segment_name)
);

-- One measured habit of customers on one day, in the unit that metric_unit names.
CREATE TABLE behavioral_patterns (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    record_date DATE NOT NULL
        CONSTRAINT behavioral_patterns_record_date_check
        CHECK (record_date GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    pattern_type TEXT NOT NULL,
    pattern_name TEXT NOT NULL,
    value REAL NOT NULL,
    metric_unit TEXT,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT behavioral_patterns_created_at_check
        CHECK (
            created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT behavioral_patterns_updated_at_check
        CHECK (
            updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    CONSTRAINT behavioral_patterns_key UNIQUE (record_date, pattern_type)
);

-- The questions about one skin or hair concern on one day.
CREATE TABLE customer_concerns (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    record_date DATE NOT NULL
        CONSTRAINT customer_concerns_record_date_check
        CHECK (record_date GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    concern_name TEXT NOT NULL,
    concern_category TEXT NOT NULL,
    query_count INTEGER
        CONSTRAINT customer_concerns_query_count_check
        CHECK (query_count >= 0),
    ai_success_rate REAL
        CONSTRAINT customer_concerns_ai_success_rate_check
        CHECK (ai_success_rate BETWEEN 0 AND 100),
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT customer_concerns_created_at_check
        CHECK (
            created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT customer_concerns_updated_at_check
        CHECK (
            updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    CONSTRAINT customer_concerns_key UNIQUE (record_date, concern_name)
);

-- One interaction of one customer with an AI feature: the activity feed.
CREATE TABLE customer_interactions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    interaction_id TEXT NOT NULL,
    interaction_date TIMESTAMP NOT NULL
        CONSTRAINT customer_interactions_interaction_date_check
        CHECK (
            interaction_date GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR interaction_date GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    interaction_type TEXT NOT NULL,
    customer_id TEXT,
    session_id TEXT,
    response_time_sec REAL
        CONSTRAINT customer_interactions_response_time_sec_check
        CHECK (response_time_sec >= 0),
    satisfaction_score INTEGER
        CONSTRAINT customer_interactions_satisfaction_score_check
        CHECK (satisfaction_score BETWEEN 1 AND 5),
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT customer_interactions_created_at_check
        CHECK (
            created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    customer_name TEXT,
    activity_description TEXT,
    status_badge TEXT,
    message_count INTEGER
        CONSTRAINT customer_interactions_message_count_check
        CHECK (message_count >= 0),
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT customer_interactions_updated_at_check
        CHECK (
            updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    CONSTRAINT customer_interactions_key UNIQUE (interaction_id)
);

CREATE INDEX customer_interactions_interaction_date_idx ON customer_interactions (interaction_date);

-- Customers and revenue of one value tier, in the snapshot of one day.
CREATE TABLE customer_value_analysis (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    record_date DATE NOT NULL
        CONSTRAINT customer_value_analysis_record_date_check
        CHECK (record_date GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    tier_name TEXT NOT NULL,
    customer_count INTEGER
        CONSTRAINT customer_value_analysis_customer_count_check
        CHECK (customer_count >= 0),
    avg_revenue REAL
        CONSTRAINT customer_value_analysis_avg_revenue_check
        CHECK (avg_revenue >= 0),
    total_revenue REAL
        CONSTRAINT customer_value_analysis_total_revenue_check
        CHECK (total_revenue >= 0),
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT customer_value_analysis_created_at_check
        CHECK (
            created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT customer_value_analysis_updated_at_check
        CHECK (
            updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    CONSTRAINT customer_value_analysis_key UNIQUE (record_date, tier_name)
);

-- One product on one day.  The conversion rate has no upper limit: it is measured against
-- recommendations, and a product can sell without one.
CREATE TABLE product_analytics (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    record_date DATE NOT NULL
        CONSTRAINT product_analytics_record_date_check
        CHECK (record_date GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    product_id TEXT NOT NULL,
    product_name TEXT NOT NULL,
    category TEXT NOT NULL,
    views INTEGER
        CONSTRAINT product_analytics_views_check
        CHECK (views >= 0),
    ai_recommendations INTEGER
        CONSTRAINT product_analytics_ai_recommendations_check
        CHECK (ai_recommendations >= 0),
    purchases INTEGER
        CONSTRAINT product_analytics_purchases_check
        CHECK (purchases >= 0),
    revenue REAL
        CONSTRAINT product_analytics_revenue_check
        CHECK (revenue >= 0),
    conversion_rate REAL
        CONSTRAINT product_analytics_conversion_rate_check
        CHECK (conversion_rate >= 0),
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT product_analytics_created_at_check
        CHECK (
            created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT product_analytics_updated_at_check
        CHECK (
            updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    CONSTRAINT product_analytics_key UNIQUE (record_date, product_id)
);

-- One product that customers ask for and the shop does not sell, in the snapshot of one
-- day.  demand_score is a score in some files and a number of requests in others.
CREATE TABLE product_gaps (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    record_date DATE NOT NULL
        CONSTRAINT product_gaps_record_date_check
        CHECK (record_date GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    gap_rank INTEGER
        CONSTRAINT product_gaps_gap_rank_check
        CHECK (gap_rank >= 0),
    product_name TEXT NOT NULL,
    category TEXT,
    demand_score REAL,
    potential_revenue REAL
        CONSTRAINT product_gaps_potential_revenue_check
        CHECK (potential_revenue >= 0),
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT product_gaps_created_at_check
        CHECK (
            created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT product_gaps_updated_at_check
        CHECK (
            updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    CONSTRAINT product_gaps_key UNIQUE (record_date, product_name)
);

-- Revenue and return of one month, dated on its first day (or of all time so far, dated
-- on the day of reading).  An impact and a return may be negative.
CREATE TABLE revenue_summary (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    record_date DATE NOT NULL
        CONSTRAINT revenue_summary_record_date_check
        CHECK (record_date GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    total_revenue_impact REAL NOT NULL,
    avg_order_value REAL
        CONSTRAINT revenue_summary_avg_order_value_check
        CHECK (avg_order_value >= 0),
    avg_order_value_with_ai REAL
        CONSTRAINT revenue_summary_avg_order_value_with_ai_check
        CHECK (avg_order_value_with_ai >= 0),
    avg_order_value_improvement REAL,
    monthly_investment REAL
        CONSTRAINT revenue_summary_monthly_investment_check
        CHECK (monthly_investment >= 0),
    monthly_return REAL,
    roi_percentage REAL,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT revenue_summary_created_at_check
        CHECK (
            created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT revenue_summary_updated_at_check
        CHECK (
            updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    CONSTRAINT revenue_summary_key UNIQUE (record_date)
);

-- The revenue credited to one AI feature on one day.
CREATE TABLE revenue_attribution (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    record_date DATE NOT NULL
        CONSTRAINT revenue_attribution_record_date_check
        CHECK (record_date GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    ai_feature TEXT NOT NULL,
    revenue_amount REAL NOT NULL
        CONSTRAINT revenue_attribution_revenue_amount_check
        CHECK (revenue_amount >= 0),
    percentage REAL
        CONSTRAINT revenue_attribution_percentage_check
        CHECK (percentage BETWEEN 0 AND 100),
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT revenue_attribution_created_at_check
        CHECK (
            created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT revenue_attribution_updated_at_check
        CHECK (
            updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    CONSTRAINT revenue_attribution_key UNIQUE (record_date, ai_feature)
);

-- The revenue of one product category on one day.
CREATE TABLE category_revenue (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    record_date DATE NOT NULL
        CONSTRAINT category_revenue_record_date_check
        CHECK (record_date GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    category_name TEXT NOT NULL,
    revenue_amount REAL NOT NULL
        CONSTRAINT category_revenue_revenue_amount_check
        CHECK (revenue_amount >= 0),
    percentage REAL
        CONSTRAINT category_revenue_percentage_check
        CHECK (percentage BETWEEN 0 AND 100),
    ai_attributed_revenue REAL
        CONSTRAINT category_revenue_ai_attributed_revenue_check
        CHECK (ai_attributed_revenue >= 0),
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT category_revenue_created_at_check
        CHECK (
            created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT category_revenue_updated_at_check
        CHECK (
            updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    CONSTRAINT category_revenue_key UNIQUE (record_date, category_name)
);

-- The revenue predicted for one future month, as computed on one day.  The lower bound is
-- statistics and may fall below zero.
CREATE TABLE revenue_forecasting (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    record_date DATE NOT NULL
        CONSTRAINT revenue_forecasting_record_date_check
        CHECK (record_date GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    forecast_date DATE NOT NULL
        CONSTRAINT revenue_forecasting_forecast_date_check
        CHECK (forecast_date GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    predicted_revenue REAL
        CONSTRAINT revenue_forecasting_predicted_revenue_check
        CHECK (predicted_revenue >= 0),
    confidence_level REAL
        CONSTRAINT revenue_forecasting_confidence_level_check
        CHECK (confidence_level BETWEEN 0 AND 1),
    upper_bound REAL
        CONSTRAINT revenue_forecasting_upper_bound_check
        CHECK (upper_bound >= 0),
    lower_bound REAL,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT revenue_forecasting_created_at_check
        CHECK (
            created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT revenue_forecasting_updated_at_check
        CHECK (
            updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    CONSTRAINT revenue_forecasting_key UNIQUE (record_date, forecast_date)
);

-- The conversion figures of one day.  Readers by position rely on columns 0 to 9.
-- The two columns that some call a count and some a percentage have no upper limit.
CREATE TABLE conversion_analytics (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    record_date DATE NOT NULL
        CONSTRAINT conversion_analytics_record_date_check
        CHECK (record_date GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    overall_conversion_rate REAL NOT NULL
        CONSTRAINT conversion_analytics_overall_conversion_rate_check
        CHECK (overall_conversion_rate BETWEEN 0 AND 100),
    conversion_rate_change REAL,
    ai_driven_conversions REAL
        CONSTRAINT conversion_analytics_ai_driven_conversions_check
        CHECK (ai_driven_conversions >= 0),
    ai_driven_percentage REAL
        CONSTRAINT conversion_analytics_ai_driven_percentage_check
        CHECK (ai_driven_percentage BETWEEN 0 AND 100),
    cart_recovery_rate REAL
        CONSTRAINT conversion_analytics_cart_recovery_rate_check
        CHECK (cart_recovery_rate BETWEEN 0 AND 100),
    cart_recovery_via_ai REAL
        CONSTRAINT conversion_analytics_cart_recovery_via_ai_check
        CHECK (cart_recovery_via_ai >= 0),
    avg_time_to_convert REAL
        CONSTRAINT conversion_analytics_avg_time_to_convert_check
        CHECK (avg_time_to_convert >= 0),
    avg_time_change REAL,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT conversion_analytics_created_at_check
        CHECK (
            created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT conversion_analytics_updated_at_check
        CHECK (
            updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    CONSTRAINT conversion_analytics_key UNIQUE (record_date)
);

-- The conversions of one day (or of the week or month that starts on it).
CREATE TABLE conversion_trends (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    record_date DATE NOT NULL
        CONSTRAINT conversion_trends_record_date_check
        CHECK (record_date GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    period_type TEXT NOT NULL DEFAULT 'daily',
    conversions INTEGER
        CONSTRAINT conversion_trends_conversions_check
        CHECK (conversions >= 0),
    ai_attributed_conversions INTEGER
        CONSTRAINT conversion_trends_ai_attributed_conversions_check
        CHECK (ai_attributed_conversions >= 0),
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT conversion_trends_created_at_check
        CHECK (
            created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT conversion_trends_updated_at_check
        CHECK (
            updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    CONSTRAINT conversion_trends_key UNIQUE (record_date, period_type)
);

-- The quality of one AI model, in one month (dated on its first day) or one snapshot.
CREATE TABLE ai_model_performance (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    record_date DATE NOT NULL
        CONSTRAINT ai_model_performance_record_date_check
        CHECK (record_date GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    model_name TEXT NOT NULL,
    accuracy REAL NOT NULL
        CONSTRAINT ai_model_performance_accuracy_check
        CHECK (accuracy BETWEEN 0 AND 100),
    precision REAL
        CONSTRAINT ai_model_performance_precision_check
        CHECK (precision BETWEEN 0 AND 100),
    recall REAL
        CONSTRAINT ai_model_performance_recall_check
        CHECK (recall BETWEEN 0 AND 100),
    f1_score REAL
        CONSTRAINT ai_model_performance_f1_score_check
        CHECK (f1_score BETWEEN 0 AND 1),
    response_time_ms INTEGER
        CONSTRAINT ai_model_performance_response_time_ms_check
        CHECK (response_time_ms >= 0),
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT ai_model_performance_created_at_check
        CHECK (
            created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT ai_model_performance_updated_at_check
        CHECK (
            updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    CONSTRAINT ai_model_performance_key UNIQUE (record_date, model_name)
);

-- Use and success of one AI feature, in the snapshot of one day.
CREATE TABLE ai_feature_performance (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    record_date DATE NOT NULL
        CONSTRAINT ai_feature_performance_record_date_check
        CHECK (record_date GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    feature_name TEXT NOT NULL,
    usage_count INTEGER
        CONSTRAINT ai_feature_performance_usage_count_check
        CHECK (usage_count >= 0),
    success_rate REAL
        CONSTRAINT ai_feature_performance_success_rate_check
        CHECK (success_rate BETWEEN 0 AND 1),
    user_satisfaction REAL
        CONSTRAINT ai_feature_performance_user_satisfaction_check
        CHECK (user_satisfaction BETWEEN 0 AND 1),
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT ai_feature_performance_created_at_check
        CHECK (
            created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT ai_feature_performance_updated_at_check
        CHECK (
            updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    CONSTRAINT ai_feature_performance_key UNIQUE (record_date, feature_name)
);

-- The interactions of one day, split over the four AI features.
-- Readers by position rely on columns 0 to 7.
CREATE TABLE interaction_summary (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    record_date DATE NOT NULL
        CONSTRAINT interaction_summary_record_date_check
        CHECK (record_date GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    total_interactions INTEGER
        CONSTRAINT interaction_summary_total_interactions_check
        CHECK (total_interactions >= 0),
    chat_interactions INTEGER
        CONSTRAINT interaction_summary_chat_interactions_check
        CHECK (chat_interactions >= 0),
    questionnaire_interactions INTEGER
        CONSTRAINT interaction_summary_questionnaire_interactions_check
        CHECK (questionnaire_interactions >= 0),
    image_analysis_interactions INTEGER
        CONSTRAINT interaction_summary_image_analysis_interactions_check
        CHECK (image_analysis_interactions >= 0),
    routine_planner_interactions INTEGER
        CONSTRAINT interaction_summary_routine_planner_interactions_check
        CHECK (routine_planner_interactions >= 0),
    avg_response_time REAL
        CONSTRAINT interaction_summary_avg_response_time_check
        CHECK (avg_response_time >= 0),
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT interaction_summary_created_at_check
        CHECK (
            created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT interaction_summary_updated_at_check
        CHECK (
            updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    CONSTRAINT interaction_summary_key UNIQUE (record_date)
);

-- One health reading of one component.  record_date is an instant here.
-- Processor use has no upper limit: several cores can add up to more than 100 percent.
CREATE TABLE system_health (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    record_date TIMESTAMP NOT NULL
        CONSTRAINT system_health_record_date_check
        CHECK (
            record_date GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR record_date GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    system_component TEXT NOT NULL,
    status TEXT NOT NULL,
    cpu_usage REAL
        CONSTRAINT system_health_cpu_usage_check
        CHECK (cpu_usage >= 0),
    memory_usage REAL
        CONSTRAINT system_health_memory_usage_check
        CHECK (memory_usage BETWEEN 0 AND 100),
    response_time_ms INTEGER
        CONSTRAINT system_health_response_time_ms_check
        CHECK (response_time_ms >= 0),
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT system_health_created_at_check
        CHECK (
            created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT system_health_updated_at_check
        CHECK (
            updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    CONSTRAINT system_health_key UNIQUE (record_date, system_component)
);

-- What one billing period costs.
CREATE TABLE billing_summary (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    billing_period_start DATE NOT NULL
        CONSTRAINT billing_summary_billing_period_start_check
        CHECK (billing_period_start GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    billing_period_end DATE NOT NULL
        CONSTRAINT billing_summary_billing_period_end_check
        CHECK (billing_period_end GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    plan_name TEXT NOT NULL,
    base_cost REAL
        CONSTRAINT billing_summary_base_cost_check
        CHECK (base_cost >= 0),
    usage_cost REAL
        CONSTRAINT billing_summary_usage_cost_check
        CHECK (usage_cost >= 0),
    total_cost REAL
        CONSTRAINT billing_summary_total_cost_check
        CHECK (total_cost >= 0),
    api_calls INTEGER
        CONSTRAINT billing_summary_api_calls_check
        CHECK (api_calls >= 0),
    data_processed_gb REAL
        CONSTRAINT billing_summary_data_processed_gb_check
        CHECK (data_processed_gb >= 0),
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT billing_summary_created_at_check
        CHECK (
            created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    monthly_price REAL
        CONSTRAINT billing_summary_monthly_price_check
        CHECK (monthly_price >= 0),
    renewal_date DATE
        CONSTRAINT billing_summary_renewal_date_check
        CHECK (renewal_date GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    subscription_amount REAL
        CONSTRAINT billing_summary_subscription_amount_check
        CHECK (subscription_amount >= 0),
    chat_amount REAL
        CONSTRAINT billing_summary_chat_amount_check
        CHECK (chat_amount >= 0),
    image_amount REAL
        CONSTRAINT billing_summary_image_amount_check
        CHECK (image_amount >= 0),
    questionnaire_amount REAL
        CONSTRAINT billing_summary_questionnaire_amount_check
        CHECK (questionnaire_amount >= 0),
    overage_amount REAL
        CONSTRAINT billing_summary_overage_amount_check
        CHECK (overage_amount >= 0),
    total_estimated REAL
        CONSTRAINT billing_summary_total_estimated_check
        CHECK (total_estimated >= 0),
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT billing_summary_updated_at_check
        CHECK (
            updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    CONSTRAINT billing_summary_key UNIQUE (billing_period_start, billing_period_end, plan_name)
);

-- The use of one billed service in one month.  The rate and cost of overage are phrases
-- as they are shown on the invoice, with a currency sign in them.
CREATE TABLE usage_breakdown (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    record_date DATE NOT NULL
        CONSTRAINT usage_breakdown_record_date_check
        CHECK (record_date GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    service_name TEXT NOT NULL,
    usage_count REAL
        CONSTRAINT usage_breakdown_usage_count_check
        CHECK (usage_count >= 0),
    cost REAL
        CONSTRAINT usage_breakdown_cost_check
        CHECK (cost >= 0),
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT usage_breakdown_created_at_check
        CHECK (
            created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    month DATE
        CONSTRAINT usage_breakdown_month_check
        CHECK (month GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    usage_type TEXT,
    used INTEGER
        CONSTRAINT usage_breakdown_used_check
        CHECK (used >= 0),
    free_limit INTEGER
        CONSTRAINT usage_breakdown_free_limit_check
        CHECK (free_limit >= 0),
    overage_rate TEXT,
    overage_cost TEXT,
    total_usage INTEGER
        CONSTRAINT usage_breakdown_total_usage_check
        CHECK (total_usage >= 0),
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT usage_breakdown_updated_at_check
        CHECK (
            updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    billing_id INTEGER
        CONSTRAINT usage_breakdown_billing_id_fkey
        REFERENCES billing_summary (id) ON DELETE SET NULL,
    CONSTRAINT usage_breakdown_key UNIQUE (record_date, service_name)
);

CREATE INDEX usage_breakdown_billing_id_idx ON usage_breakdown (billing_id);

-- One connection to an outside API.
CREATE TABLE api_configurations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    api_type TEXT NOT NULL,
    api_name TEXT NOT NULL,
    api_url TEXT NOT NULL,
    api_key TEXT,
    status TEXT DEFAULT 'active',
    last_sync TIMESTAMP
        CONSTRAINT api_configurations_last_sync_check
        CHECK (
            last_sync GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR last_sync GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    sync_frequency TEXT,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT api_configurations_created_at_check
        CHECK (
            created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT api_configurations_updated_at_check
        CHECK (
            updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    CONSTRAINT api_configurations_key UNIQUE (api_type)
);

-- Traffic and health of one monitored endpoint, as last checked.
CREATE TABLE api_endpoints (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    endpoint_name TEXT NOT NULL,
    method TEXT NOT NULL DEFAULT 'GET',
    request_count INTEGER
        CONSTRAINT api_endpoints_request_count_check
        CHECK (request_count >= 0),
    avg_response_ms REAL
        CONSTRAINT api_endpoints_avg_response_ms_check
        CHECK (avg_response_ms >= 0),
    error_rate REAL
        CONSTRAINT api_endpoints_error_rate_check
        CHECK (error_rate BETWEEN 0 AND 100),
    last_checked TIMESTAMP
        CONSTRAINT api_endpoints_last_checked_check
        CHECK (
            last_checked GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR last_checked GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT api_endpoints_created_at_check
        CHECK (
            created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT api_endpoints_updated_at_check
        CHECK (
            updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    base_url TEXT,
    success_rate REAL
        CONSTRAINT api_endpoints_success_rate_check
        CHECK (success_rate BETWEEN 0 AND 100),
    daily_calls INTEGER
        CONSTRAINT api_endpoints_daily_calls_check
        CHECK (daily_calls >= 0),
    configuration_id INTEGER
        CONSTRAINT api_endpoints_configuration_id_fkey
        REFERENCES api_configurations (id) ON DELETE SET NULL,
    CONSTRAINT api_endpoints_key UNIQUE (endpoint_name, method)
);

CREATE INDEX api_endpoints_configuration_id_idx ON api_endpoints (configuration_id);

CREATE INDEX api_endpoints_last_checked_idx ON api_endpoints (last_checked);

-- One payment made.
CREATE TABLE billing_payments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    payment_date DATE NOT NULL
        CONSTRAINT billing_payments_payment_date_check
        CHECK (payment_date GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    description TEXT NOT NULL,
    amount REAL
        CONSTRAINT billing_payments_amount_check
        CHECK (amount >= 0),
    status TEXT,
    invoice_url TEXT,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT billing_payments_created_at_check
        CHECK (
            created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT billing_payments_updated_at_check
        CHECK (
            updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    billing_id INTEGER
        CONSTRAINT billing_payments_billing_id_fkey
        REFERENCES billing_summary (id) ON DELETE SET NULL,
    CONSTRAINT billing_payments_key UNIQUE (payment_date, description)
);

CREATE INDEX billing_payments_billing_id_idx ON billing_payments (billing_id);

-- One merchandising category in one month, dated on its first day.
CREATE TABLE category_performance (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    record_date DATE NOT NULL
        CONSTRAINT category_performance_record_date_check
        CHECK (record_date GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    category_name TEXT NOT NULL,
    total_products INTEGER
        CONSTRAINT category_performance_total_products_check
        CHECK (total_products >= 0),
    total_views INTEGER
        CONSTRAINT category_performance_total_views_check
        CHECK (total_views >= 0),
    total_revenue REAL
        CONSTRAINT category_performance_total_revenue_check
        CHECK (total_revenue >= 0),
    avg_conversion_rate REAL
        CONSTRAINT category_performance_avg_conversion_rate_check
        CHECK (avg_conversion_rate BETWEEN 0 AND 100),
    ai_recommendation_rate REAL
        CONSTRAINT category_performance_ai_recommendation_rate_check
        CHECK (ai_recommendation_rate BETWEEN 0 AND 100),
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT category_performance_created_at_check
        CHECK (
            created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT category_performance_updated_at_check
        CHECK (
            updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    CONSTRAINT category_performance_key UNIQUE (record_date, category_name)
);

-- What customers of one tenure band are worth, now and as predicted, on one day.
-- A lifetime value may be negative (it can cost more to serve than it brings).
CREATE TABLE customer_lifetime_value (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    record_date DATE NOT NULL
        CONSTRAINT customer_lifetime_value_record_date_check
        CHECK (record_date GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    segment_name TEXT NOT NULL,
    predicted_clv REAL NOT NULL,
    current_clv REAL,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT customer_lifetime_value_created_at_check
        CHECK (
            created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT customer_lifetime_value_updated_at_check
        CHECK (
            updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    CONSTRAINT customer_lifetime_value_key UNIQUE (record_date, segment_name)
);

-- The mean survey scores of one day.
CREATE TABLE customer_satisfaction (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    record_date DATE NOT NULL
        CONSTRAINT customer_satisfaction_record_date_check
        CHECK (record_date GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    overall_satisfaction REAL NOT NULL
        CONSTRAINT customer_satisfaction_overall_satisfaction_check
        CHECK (overall_satisfaction BETWEEN 0 AND 5),
    product_match_quality REAL NOT NULL
        CONSTRAINT customer_satisfaction_product_match_quality_check
        CHECK (product_match_quality BETWEEN 0 AND 5),
    ai_helpfulness REAL NOT NULL
        CONSTRAINT customer_satisfaction_ai_helpfulness_check
        CHECK (ai_helpfulness BETWEEN 0 AND 5),
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT customer_satisfaction_created_at_check
        CHECK (
            created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT customer_satisfaction_updated_at_check
        CHECK (
            updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    CONSTRAINT customer_satisfaction_key UNIQUE (record_date)
);

-- One minute of live telemetry.
-- Processor use has no upper limit: several cores can add up to more than 100 percent.
CREATE TABLE realtime_metrics (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    recorded_at TIMESTAMP NOT NULL
        CONSTRAINT realtime_metrics_recorded_at_check
        CHECK (
            recorded_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR recorded_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    active_sessions INTEGER
        CONSTRAINT realtime_metrics_active_sessions_check
        CHECK (active_sessions >= 0),
    api_response_time_ms INTEGER
        CONSTRAINT realtime_metrics_api_response_time_ms_check
        CHECK (api_response_time_ms >= 0),
    cpu_usage_pct REAL
        CONSTRAINT realtime_metrics_cpu_usage_pct_check
        CHECK (cpu_usage_pct >= 0),
    memory_usage_pct REAL
        CONSTRAINT realtime_metrics_memory_usage_pct_check
        CHECK (memory_usage_pct BETWEEN 0 AND 100),
    conversions_per_min INTEGER
        CONSTRAINT realtime_metrics_conversions_per_min_check
        CHECK (conversions_per_min >= 0),
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT realtime_metrics_created_at_check
        CHECK (
            created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT realtime_metrics_updated_at_check
        CHECK (
            updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    CONSTRAINT realtime_metrics_key UNIQUE (recorded_at)
);

-- One notification to the owner of the account.  created_at is when it was raised: it is
-- the time of the row and part of its key, not only housekeeping.
CREATE TABLE usage_alerts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    level TEXT,
    title TEXT NOT NULL,
    message TEXT,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT usage_alerts_created_at_check
        CHECK (
            created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR created_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        CONSTRAINT usage_alerts_updated_at_check
        CHECK (
            updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]'
            OR updated_at GLOB
            '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'
        ),
    CONSTRAINT usage_alerts_key UNIQUE (created_at, title)
);
