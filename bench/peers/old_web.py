"""A dashboard's backend as they were written before the package: a connection for each
request, sqlite3, rows as dicts, jsonify. Each route asks what the older app of this
dashboard asked, of the same tables; the clock is set to the data's last day.

The bench serves it beside ours (bench/web.py).
"""

from __future__ import annotations

import datetime
import sqlite3

DAYS = {"7d": 7, "30d": 30, "90d": 90, "1y": 365}
WITHIN = "WHERE record_date BETWEEN :start AND :end"

QUERIES = {
    "overview/kpis": f"""
        SELECT MAX(total_customers) AS total_customers,
            AVG(total_customers_change) AS total_customers_change,
            AVG(conversion_rate) AS conversion_rate,
            AVG(conversion_rate_change) AS conversion_rate_change,
            SUM(ai_interactions) AS ai_interactions,
            AVG(ai_interactions_change) AS ai_interactions_change,
            SUM(revenue_impact) AS revenue_impact,
            AVG(revenue_impact_change) AS revenue_impact_change
        FROM overview_kpis {WITHIN}""",
    "overview/funnel": f"""
        SELECT stage_name, stage_order, SUM(count) AS count,
            SUM(count) AS stage_count, AVG(percentage) AS percentage,
            AVG(dropoff_rate) AS dropoff_rate
        FROM conversion_funnel {WITHIN}
        GROUP BY stage_name, stage_order ORDER BY stage_order""",
    "overview/interaction-types": f"""
        SELECT interaction_name, interaction_name AS interaction_type,
            SUM(count) AS count, AVG(percentage) AS percentage
        FROM interaction_types {WITHIN}
        GROUP BY interaction_name ORDER BY count DESC""",
    "conversions/analytics": f"""
        SELECT * FROM conversion_analytics {WITHIN}
        ORDER BY record_date DESC LIMIT 1""",
    "conversions/trends": """
        SELECT t.record_date, SUM(t.conversions) AS conversions,
            SUM(t.ai_attributed_conversions) AS ai_attributed_conversions,
            AVG(100.0 * t.conversions / k.total_customers) AS conversion_rate
        FROM conversion_trends t
        LEFT JOIN overview_kpis k ON DATE(t.record_date) = DATE(k.record_date)
        WHERE DATE(t.record_date) BETWEEN :start AND :end
        GROUP BY t.record_date ORDER BY t.record_date""",
    "customers/segments": f"""
        SELECT segment_name, SUM(segment_size) AS segment_size,
            AVG(percentage) AS segment_percentage,
            AVG(avg_lifetime_value) AS avg_lifetime_value,
            AVG(avg_order_value) AS avg_order_value
        FROM customer_segments {WITHIN}
        GROUP BY segment_name ORDER BY segment_size DESC""",
    "customers/behavioral-patterns": """
        SELECT b.pattern_type, b.pattern_name, b.value, b.metric_unit
        FROM behavioral_patterns b JOIN (
            SELECT pattern_type, MAX(record_date) AS newest FROM behavioral_patterns
            WHERE record_date BETWEEN :start AND :end GROUP BY pattern_type) n
        ON b.pattern_type = n.pattern_type AND b.record_date = n.newest
        ORDER BY b.pattern_type""",
    "customers/concerns": f"""
        SELECT concern_name, concern_category, SUM(query_count) AS query_count,
            AVG(ai_success_rate) AS ai_success_rate
        FROM customer_concerns {WITHIN}
        GROUP BY concern_name, concern_category
        ORDER BY query_count DESC LIMIT 10""",
    "customers/lifetime-value": f"""
        SELECT segment_name, AVG(current_clv) AS current_clv,
            AVG(predicted_clv) AS predicted_clv
        FROM customer_lifetime_value {WITHIN} GROUP BY segment_name""",
    "customers/product-gaps": f"""
        SELECT product_name, category,
            SUM(CAST(demand_score AS INTEGER)) AS demand_score,
            SUM(potential_revenue) AS potential_revenue
        FROM product_gaps {WITHIN}
        GROUP BY product_name, category ORDER BY demand_score DESC LIMIT 10""",
    "customers/interactions": """
        SELECT * FROM customer_interactions
        WHERE interaction_date BETWEEN :start AND :end
        ORDER BY interaction_date DESC LIMIT 10""",
    "products/analytics": """
        SELECT * FROM product_analytics ORDER BY revenue DESC LIMIT 20""",
    "products/recommended": f"""
        SELECT product_name, SUM(ai_recommendations) AS recommendations,
            AVG(conversion_rate) AS conversion_rate, SUM(revenue) AS revenue
        FROM product_analytics {WITHIN}
        GROUP BY product_name ORDER BY recommendations DESC LIMIT 5""",
    "products/category-performance": "SELECT * FROM category_performance",
    "products/cross-sell-upsell": f"""
        SELECT category_name AS category, SUM(total_views) AS views,
            AVG(avg_conversion_rate) AS rate
        FROM category_performance {WITHIN}
        GROUP BY category_name ORDER BY views DESC LIMIT 8""",
    "ai/model-performance": f"""
        SELECT record_date, model_name, accuracy FROM ai_model_performance {WITHIN}
        ORDER BY record_date""",
    "ai/summary": f"""
        SELECT model_name, AVG(accuracy) AS accuracy FROM ai_model_performance {WITHIN}
        GROUP BY model_name""",
    "ai/feature-performance": "SELECT * FROM ai_feature_performance",
    "interactions/summary": f"""
        SELECT * FROM interaction_summary {WITHIN} ORDER BY record_date""",
    "revenue/summary": f"""
        SELECT AVG(total_revenue_impact) AS total_revenue_impact,
            AVG(avg_order_value) AS avg_order_value,
            AVG(monthly_investment) AS monthly_investment,
            AVG(monthly_return) AS monthly_return
        FROM revenue_summary {WITHIN}""",
    "customer/satisfaction": f"""
        SELECT record_date, overall_satisfaction, product_match_quality, ai_helpfulness
        FROM customer_satisfaction {WITHIN} ORDER BY record_date""",
    "revenue/attribution": f"""
        SELECT record_date, ai_feature, ai_feature AS revenue_source,
            SUM(revenue_amount) AS revenue_amount, AVG(percentage) AS percentage
        FROM revenue_attribution {WITHIN}
        GROUP BY record_date, ai_feature ORDER BY record_date, revenue_amount DESC""",
    "revenue/category": """
        SELECT * FROM category_revenue ORDER BY revenue_amount DESC""",
    "revenue/customer-value": "SELECT * FROM customer_value_analysis",
    "revenue/forecasting": "SELECT * FROM revenue_forecasting ORDER BY forecast_date",
    "realtime/system-health": """
        SELECT * FROM (SELECT * FROM realtime_metrics
            ORDER BY recorded_at DESC LIMIT 60) ORDER BY recorded_at""",
    "realtime/api-endpoints": "SELECT * FROM api_endpoints",
    "billing/summary": "SELECT * FROM billing_summary LIMIT 1",
    "billing/usage-breakdown": "SELECT * FROM usage_breakdown ORDER BY record_date",
    "billing/payment-history": """
        SELECT * FROM billing_payments ORDER BY payment_date DESC LIMIT 12""",
    "billing/alerts": "SELECT * FROM usage_alerts ORDER BY created_at DESC LIMIT 20",
    "config": """
        SELECT * FROM api_configurations WHERE id IN (
            SELECT MAX(id) FROM api_configurations GROUP BY api_type)
        ORDER BY api_type""",
}


def versions() -> str:
    return f"sqlite3 {sqlite3.sqlite_version}"


def make(path: str, today: str):
    from flask import Flask, g, jsonify, request

    app = Flask("old_web")
    end = datetime.date.fromisoformat(today)

    def connection():
        if "db" not in g:
            g.db = sqlite3.connect(path, timeout=10.0, check_same_thread=False)
            g.db.row_factory = sqlite3.Row
        return g.db

    @app.teardown_appcontext
    def close(_):
        db = g.pop("db", None)
        if db is not None:
            db.close()

    def view_of(sql):
        def view():
            try:
                days = DAYS.get(request.args.get("period", "30d"), 30)
                start = end - datetime.timedelta(days=days)
                window = {"start": start.isoformat(), "end": end.isoformat()}
                rows = connection().cursor().execute(sql, window).fetchall()
                return jsonify({"success": True, "data": [dict(row) for row in rows]})
            except sqlite3.Error as error:
                return jsonify({"success": False, "message": str(error)}), 500

        return view

    for path_, sql in QUERIES.items():
        app.add_url_rule(f"/api/{path_}", path_, view_of(sql))
    app.add_url_rule("/api/health", "health", lambda: {"status": "healthy"})
    return app
